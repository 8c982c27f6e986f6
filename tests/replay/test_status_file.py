from fakes.homes import request
from tidewright.app.operate import read_status
from tidewright.app.session import Session
from tidewright.domain.time import iso


def test_status_of_a_run_that_ended_tells_its_last_moment(tmp_path):
    with Session(request(tmp_path / "home", 700)) as session:
        session.run()
        state = session.engine.state
    told = read_status(tmp_path / "home").data
    assert told["running"] is False
    assert (told["sequence"], told["market_time"]) == (state.sequence, iso(state.ts_known))
