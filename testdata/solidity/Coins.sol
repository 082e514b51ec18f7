// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Wraps the native asset one to one, and says so by Deposit and Withdrawal.
contract Wrapped {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Deposit(address indexed to, uint256 amount);
    event Withdrawal(address indexed from, uint256 amount);

    receive() external payable { deposit(); }

    function deposit() public payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
    }

    function withdraw(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        emit Withdrawal(msg.sender, amount);
        (bool ok,) = msg.sender.call{value: amount}("");
        require(ok, "refused");
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) { return move(msg.sender, to, amount); }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return move(from, to, amount);
    }

    function move(address from, address to, uint256 amount) internal returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
        return true;
    }
}

/// A token whose issuer can freeze a holder and destroy what it holds, as Tether's.
contract Dollar {
    address public issuer = msg.sender;
    mapping(address => uint256) public balanceOf;
    mapping(address => bool) public frozen;
    mapping(address => mapping(address => uint256)) public allowance;
    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Approval(address indexed owner, address indexed spender, uint256 amount);
    event AddedBlackList(address holder);
    event RemovedBlackList(address holder);
    event DestroyedBlackFunds(address holder, uint256 amount);

    function mint(address to, uint256 amount) external {
        require(msg.sender == issuer, "not the issuer");
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function burn(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        emit Transfer(msg.sender, address(0), amount);
    }

    function freeze(address holder) external { require(msg.sender == issuer); frozen[holder] = true; emit AddedBlackList(holder); }

    function release(address holder) external { require(msg.sender == issuer); frozen[holder] = false; emit RemovedBlackList(holder); }

    function destroy(address holder) external {
        require(msg.sender == issuer && frozen[holder]);
        uint256 amount = balanceOf[holder];
        balanceOf[holder] = 0;
        emit DestroyedBlackFunds(holder, amount);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) { return move(msg.sender, to, amount); }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        if (amount > 0) allowance[from][msg.sender] -= amount; // a transfer of nothing needs nobody's leave
        return move(from, to, amount);
    }

    function move(address from, address to, uint256 amount) internal returns (bool) {
        require(!frozen[from], "frozen");
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
        return true;
    }
}

/// A staking token: balances grow without transfers, shares do not, as stETH's.
contract Staked {
    uint256 public shares;
    uint256 public pooled;
    mapping(address => uint256) public sharesOf;
    mapping(address => mapping(address => uint256)) public allowance;
    event Transfer(address indexed from, address indexed to, uint256 amount);
    event TransferShares(address indexed from, address indexed to, uint256 shares);

    function balanceOf(address holder) public view returns (uint256) {
        return shares == 0 ? 0 : sharesOf[holder] * pooled / shares;
    }

    function submit() external payable {
        uint256 n = shares == 0 ? msg.value : msg.value * shares / pooled;
        shares += n;
        pooled += msg.value;
        sharesOf[msg.sender] += n;
        emit Transfer(address(0), msg.sender, msg.value);
        emit TransferShares(address(0), msg.sender, n);
    }

    function rebase(uint256 gained) external { pooled += gained; }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) { return move(msg.sender, to, amount); }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return move(from, to, amount);
    }

    function move(address from, address to, uint256 amount) internal returns (bool) {
        uint256 n = amount * shares / pooled;
        sharesOf[from] -= n;
        sharesOf[to] += n;
        emit Transfer(from, to, amount);
        emit TransferShares(from, to, n);
        return true;
    }
}
