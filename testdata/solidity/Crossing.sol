// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

interface Moved {
    function transfer(address, uint256) external returns (bool);
    function transferFrom(address, address, uint256) external returns (bool);
}

/// The router of THORChain, by its public ABI: deposits go to a vault with a memo, vaults pay out with one.
contract Crossing {
    struct Coin { address asset; uint256 amount; }

    mapping(address => mapping(address => uint256)) public vaultAllowance;

    event Deposit(address indexed to, address indexed asset, uint256 amount, string memo);
    event TransferOut(address indexed vault, address indexed to, address asset, uint256 amount, string memo);
    event TransferAllowance(address indexed oldVault, address indexed newVault, address asset, uint256 amount, string memo);
    event VaultTransfer(address indexed oldVault, address indexed newVault, Coin[] coins, string memo);

    function depositWithExpiry(address payable vault, address asset, uint256 amount, string memory memo, uint256 expiration) external payable {
        require(block.timestamp < expiration, "expired");
        if (asset == address(0)) {
            amount = msg.value;
            (bool ok,) = vault.call{value: amount}("");
            require(ok, "refused");
        } else {
            require(msg.value == 0, "both");
            Moved(asset).transferFrom(msg.sender, address(this), amount);
            vaultAllowance[vault][asset] += amount;
        }
        emit Deposit(vault, asset, amount, memo);
    }

    function transferOut(address payable to, address asset, uint256 amount, string memory memo) external payable {
        if (asset == address(0)) {
            amount = msg.value;
            (bool ok,) = to.call{value: amount, gas: 2300}("");
            if (!ok) { (ok,) = payable(msg.sender).call{value: amount}(""); require(ok, "bounced"); }
        } else {
            vaultAllowance[msg.sender][asset] -= amount;
            Moved(asset).transfer(to, amount);
        }
        emit TransferOut(msg.sender, to, asset, amount, memo);
    }

    function transferAllowance(address router, address newVault, address asset, uint256 amount, string memory memo) external {
        require(router == address(this), "another router");
        vaultAllowance[msg.sender][asset] -= amount;
        vaultAllowance[newVault][asset] += amount;
        emit TransferAllowance(msg.sender, newVault, asset, amount, memo);
    }
}

/// An aggregator that deposits for its caller.
contract Front {
    function swapIn(Crossing router, address payable vault, string memory memo) external payable {
        router.depositWithExpiry{value: msg.value}(vault, address(0), 0, memo, type(uint256).max);
    }
}

/// A desk that trades at the price it is told.
contract Desk {
    receive() external payable {}

    function trade(Moved given, uint256 amount, Moved wanted, uint256 out) external payable {
        if (address(given) != address(0)) given.transferFrom(msg.sender, address(this), amount);
        if (address(wanted) == address(0)) {
            (bool ok,) = msg.sender.call{value: out}("");
            require(ok, "refused");
        } else {
            wanted.transfer(msg.sender, out);
        }
    }
}
