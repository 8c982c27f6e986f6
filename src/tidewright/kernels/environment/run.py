"""A step of every market, and the start of an episode."""

from __future__ import annotations

from tidewright.kernels.agents import layout as agents_at
from tidewright.kernels.environment import layout as at
from tidewright.kernels.environment.act import carry_out
from tidewright.kernels.environment.crowd import open_market, run_until
from tidewright.kernels.environment.fetch import fetch_acts, fetch_market, fetch_orders
from tidewright.kernels.environment.layout import Float32, Float64, Int64
from tidewright.kernels.environment.observe import count_trades, observe
from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as book_at
from tidewright.kernels.matching.memory import (
    address,
    float_address,
    float_onward,
    onward,
    small_address,
    small_onward,
)


@inlined
def tell_start(market: Int64, rules: Int64, seen: Float32, outcome: Float64) -> None:
    """Write what is seen before the first action of an episode."""
    observe(market, rules, seen, outcome)
    outcome[at.BOUGHT] = 0.0
    outcome[at.SOLD] = 0.0


@inlined
def move(
    market: Int64,
    reals: Float64,
    rules: Int64,
    log: Int64,
    mail: Int64,
    wish: Int64,
    seen: Float32,
    outcome: Float64,
) -> float:
    """Carry out an action, let the traders act, and return the growth of profit."""
    book = onward(market, rules[at.BOOK])
    book[book_at.LOG_ROWS] = 0
    outcome[at.BOUGHT] = 0.0
    outcome[at.SOLD] = 0.0
    market[at.ANSWER] = carry_out(market, rules, log, mail, wish)
    until = market[at.CLOCK + agents_at.NOW] + rules[at.STEP_TIME]
    run_until(market, reals, rules, log, mail, outcome, until)
    market[at.STEP] += 1
    count_trades(book, log, rules, outcome)
    return observe(market, rules, seen, outcome)


@inlined
def ending(market: Int64, rules: Int64, profit: float) -> int:
    """Return whether, and how, an episode ends."""
    if profit <= -float(rules[at.MOST_LOSS]):
        return at.TERMINATED
    return at.TRUNCATED if market[at.STEP] >= rules[at.STEPS] else 0


@compiled
def begin_episodes(
    which: Int64,
    markets: Int64,
    reals: Float64,
    fresh: tuple[Int64, Float64],
    rules: Int64,
    log: Int64,
    mail: Int64,
    observations: Float32,
    outcomes: Float64,
) -> None:
    """Begin an episode in some markets.

    Parameters
    ----------
    which : int64 array of shape (n_chosen,)
        Numbers of the markets.
    markets, reals, fresh, rules, log, mail, observations, outcomes
        As `step_markets` takes them.
    """
    words, parts = markets.shape[1], reals.shape[1]
    new = (address(fresh[0]), float_address(fresh[1]))
    law, lines, post = address(rules), address(log), address(mail)
    for number in range(which.shape[0]):
        chosen = which[number]
        market = onward(address(markets), chosen * words)
        own = float_onward(float_address(reals), chosen * parts)
        open_market(market, own, new, law, lines, post)
        seen = small_onward(small_address(observations), chosen * at.N_SEEN)
        outcome = float_onward(float_address(outcomes), chosen * at.N_OUTCOME)
        tell_start(market, law, seen, outcome)


@compiled
def step_markets(
    actions: Int64,
    markets: Int64,
    reals: Float64,
    fresh: tuple[Int64, Float64],
    rules: Int64,
    aversion: float,
    log: Int64,
    mail: Int64,
    observations: Float32,
    rewards: Float64,
    over: Int64,
    outcomes: Float64,
) -> None:
    """Carry out one action in every market, let its traders act, and tell what is seen then.

    A market whose episode ended at the step before begins another one instead; its action is not
    looked at.

    Parameters
    ----------
    actions : int64 array of shape (n_markets, N_ACTION)
        What the learners ask for.
    markets : int64 array of shape (n_markets, n_words)
        Whole numbers of each market, in the order that `layout` says; changed in place.
    reals : float64 array of shape (n_markets, n_reals)
        Real numbers of each market; changed in place.
    fresh : (int64 array of shape (n_words,), float64 array of shape (n_reals,))
        A market at the start of an episode.
    rules : int64 array of shape (n_rules,)
        What holds in all of them.
    aversion : float
        What a step costs for each lot held, times the lots held.
    log : int64 array of shape (n_rows, N_LOG)
        Room for what one market does in a step; afterwards the rows of the last market.
    mail : int64 array of shape (N_MESSAGE,)
        Room for a message.
    observations : float32 array of shape (n_markets, N_SEEN)
        Receives what is seen after the step.
    rewards : float64 array of shape (n_markets,)
        Receives the growth of profit, less the cost of what is held.
    over : int64 array of shape (n_markets,)
        Receives 0, `TERMINATED` or `TRUNCATED`.
    outcomes : float64 array of shape (n_markets, N_OUTCOME)
        Receives profit, what is held, and what was bought and sold.
    """
    count, words, parts = markets.shape[0], markets.shape[1], reals.shape[1]
    new = (address(fresh[0]), float_address(fresh[1]))
    law, lines, post = address(rules), address(log), address(mail)
    whole, real, wishes = address(markets), float_address(reals), address(actions)
    for number in range(count):
        market, own = onward(whole, number * words), float_onward(real, number * parts)
        seen = small_onward(small_address(observations), number * at.N_SEEN)
        outcome = float_onward(float_address(outcomes), number * at.N_OUTCOME)
        third, second = min(number + 3, count - 1), min(number + 2, count - 1)
        fetch_market(onward(whole, third * words), float_onward(real, third * parts), law)
        fetch_acts(onward(whole, second * words), float_onward(real, second * parts), law)
        fetch_orders(onward(whole, min(number + 1, count - 1) * words), law)
        if market[at.OVER] != 0:
            open_market(market, own, new, law, lines, post)
            tell_start(market, law, seen, outcome)
            rewards[number] = 0.0
        else:
            wish = onward(wishes, number * at.N_ACTION)
            gain = move(market, own, law, lines, post, wish, seen, outcome)
            rewards[number] = gain - aversion * outcome[at.HELD] * outcome[at.HELD]
            market[at.OVER] = ending(market, law, outcome[at.PROFIT])
        over[number] = market[at.OVER]
