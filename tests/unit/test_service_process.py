from __future__ import annotations

import os
import sys
import time

import psutil
import pytest

from runtime.serve_command import ServeCommand
from runtime.service_process import ServiceNotReadyError, ServiceProcess
from tests.worlds.service import free_port


def process(code: str) -> ServiceProcess:
    url = f"http://127.0.0.1:{free_port()}"
    command = ServeCommand(argv=(sys.executable, "-c", code), environment=dict(os.environ), url=url)
    return ServiceProcess(command=command)


READY = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", {port}), Ready).serve_forever()
"""
WITH_A_WORKER = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True); time.sleep(60)"


def test_it_waits_until_the_service_says_that_it_is_ready():
    started = process("")
    port = started.command.url.rpartition(":")[2]
    command = ServeCommand(
        argv=(sys.executable, "-c", READY.format(port=port)), environment=dict(os.environ), url=started.command.url
    )
    with ServiceProcess(command=command) as service:
        service.wait_until_ready(seconds=20)


def test_a_service_that_ends_by_itself_is_not_waited_for():
    with process("raise SystemExit(3)") as service, pytest.raises(ServiceNotReadyError, match="exit code 3"):
        service.wait_until_ready(seconds=20)


def test_a_service_that_is_never_ready_is_given_up():
    with process("import time; time.sleep(60)") as service, pytest.raises(ServiceNotReadyError, match="not ready"):
        service.wait_until_ready(seconds=0.3)


@pytest.mark.parametrize("end", [ServiceProcess.stop, ServiceProcess.kill])
def test_no_worker_outlives_it(end):
    with process(WITH_A_WORKER) as service:
        family = psutil.Process(service.pid)
        deadline = time.monotonic() + 20
        while not family.children() and time.monotonic() < deadline:
            time.sleep(0.05)
        (worker,) = family.children()
        end(service)
        assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_it_must_be_started_first():
    with pytest.raises(RuntimeError, match="with block"):
        process("").wait_until_ready()
