"""One job at a time changes lake and features; a job's own steps do not wait for themselves."""

from __future__ import annotations

import threading

from pipelines.jobs.taking_turns import taking_turns
from runtime.settings import Settings


def test_a_job_within_a_job_does_not_wait(tmp_path):
    settings = Settings(home=tmp_path)
    with taking_turns(settings), taking_turns(settings):
        pass


def test_another_job_waits_until_the_first_is_done(tmp_path):
    settings, done, order = Settings(home=tmp_path), threading.Event(), []

    def other():
        with taking_turns(settings):
            order.append("second")
        done.set()

    with taking_turns(settings):
        threading.Thread(target=other, daemon=True).start()
        assert not done.wait(0.2)
        order.append("first")
    assert done.wait(10)
    assert order == ["first", "second"]
