// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

interface Token {
    function balanceOf(address) external view returns (uint256);
    function transfer(address, uint256) external returns (bool);
    function transferFrom(address, address, uint256) external returns (bool);
}

interface Wrapper is Token {
    function deposit() external payable;
    function withdraw(uint256) external;
}

/// A pool of two tokens whose product stays constant.
contract Pool {
    Token public immutable one;
    Token public immutable two;

    constructor(Token a, Token b) { one = a; two = b; }

    /// Whatever arrived since the last swap is given; what it is worth goes to the receiver.
    function swap(Token given, uint256 amount, address to) external returns (uint256 out) {
        Token wanted = given == one ? two : one;
        uint256 had = given.balanceOf(address(this)) - amount;
        uint256 net = amount * 997 / 1000;
        out = wanted.balanceOf(address(this)) * net / (had + net);
        wanted.transfer(to, out);
    }
}

/// What an aggregator's router hands the trade to: it walks the pools.
contract Executor {
    function run(Pool[] calldata pools, Token given, uint256 amount, address to) external returns (Token, uint256) {
        for (uint256 i = 0; i < pools.length; i++) {
            Token wanted = given == pools[i].one() ? pools[i].two() : pools[i].one();
            given.transfer(address(pools[i]), amount);
            uint256 before = wanted.balanceOf(address(this));
            pools[i].swap(given, amount, address(this));
            (given, amount) = (wanted, wanted.balanceOf(address(this)) - before);
        }
        given.transfer(to, amount);
        return (given, amount);
    }
}

/// The aggregator that users call: it takes a token or the native asset, lets the
/// executor walk the pools, keeps a fee, and pays the receiver, unwrapped if it was asked to.
contract Router {
    Wrapper public immutable wrapper;
    Executor public immutable executor;
    address public immutable collector;

    constructor(Wrapper w, Executor e, address c) { wrapper = w; executor = e; collector = c; }

    receive() external payable {}

    function trade(Pool[] calldata pools, Token given, uint256 amount, address payable to, bool unwrap, uint256 feeBp) external payable {
        if (msg.value > 0) {
            wrapper.deposit{value: msg.value}();
            given = wrapper;
            amount = msg.value;
        } else {
            given.transferFrom(msg.sender, address(this), amount);
        }
        given.transfer(address(executor), amount);
        (Token got, uint256 out) = executor.run(pools, given, amount, address(this));
        uint256 fee = out * feeBp / 10000;
        if (fee > 0) got.transfer(collector, fee);
        if (unwrap) {
            wrapper.withdraw(out - fee);
            (bool ok,) = to.call{value: out - fee}("");
            require(ok, "refused");
        } else {
            got.transfer(to, out - fee);
        }
    }
}

/// A contract made, paid and destroyed in one transaction.
contract Brief {
    constructor() payable {}
    function end(address payable heir) external { selfdestruct(heir); }
}

/// Moves the native asset inside transactions in every way there is.
contract Spreader {
    receive() external payable {}

    function spread(address payable[] calldata to, uint256 each) external payable {
        for (uint256 i = 0; i < to.length; i++) {
            (bool ok,) = to[i].call{value: each}("");
            require(ok, "refused");
        }
    }

    /// The inner call reverts, with what it sent; the outer one goes on.
    function tryAndFail(address payable to, uint256 amount) external payable {
        try this.sendAndRevert(to, amount) { revert("impossible"); } catch {}
        (bool ok,) = to.call{value: amount / 2}("");
        require(ok, "refused");
    }

    function sendAndRevert(address payable to, uint256 amount) external {
        (bool ok,) = to.call{value: amount}("");
        require(!ok, "on purpose");
    }

    function brief(address payable heir, uint256 amount) external payable {
        Brief b = new Brief{value: amount}();
        b.end(heir);
    }

    function briefToItself(uint256 amount) external payable {
        Brief b = new Brief{value: amount}();
        b.end(payable(address(b)));
    }

    function lasting(uint256 amount) external payable { new Brief{value: amount}(); }

    /// Pays itself through itself.
    function loop(uint256 amount) external payable { this.take{value: amount}(); }
    function take() external payable {}

    function fail() external payable { revert("on purpose"); }
}
