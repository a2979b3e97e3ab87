"""tools/dev/local_aws.py: starts once, refuses a taken port, fails early, and leaves nothing behind."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.stack import eventually
from tools.dev import local_aws
from tools.dev.local_aws import LocalAws, LocalAwsError, free_port


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS of the test's own; stopped at the end."""
    made = LocalAws(tmp_path / "aws", free_port())
    yield made
    made.stop()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def group_lives(leader: int) -> bool:
    """Whether any process of the group that ``leader`` made is there: the server or a Lambda worker of it."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


def invoke_a_function(endpoint: str) -> None:
    """Create a function on a fresh local AWS and run it once, so that it has a warm worker."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    role = boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1", **keys).create_role(
        RoleName="worker", AssumeRolePolicyDocument="{}"
    )["Role"]["Arn"]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return 7\n")
    client = boto3.client("lambda", endpoint_url=endpoint, region_name="us-east-1", **keys)
    client.create_function(
        FunctionName="f",
        Runtime="python3.13",
        Role=role,
        Handler="main.handler",
        Code={"ZipFile": stream.getvalue()},
    )
    client.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 1})
    assert client.invoke(FunctionName="f")["Payload"].read() == b"7"


def test_it_starts_once_and_stops_without_a_trace(local: LocalAws) -> None:
    first = local.start()
    assert local.start() == first == local.status()
    assert answers(first.port)
    assert local.stop() is True
    assert local.status() is None and not answers(first.port)
    eventually(lambda: not group_lives(first.pid), "no process is left", 10)
    assert local.stop() is False


def test_it_listens_on_this_machine_alone(local: LocalAws) -> None:
    server = local.start()
    own = {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    elsewhere = (own | ({"127.0.0.2"} if sys.platform == "linux" else set())) - {"127.0.0.1"}
    for address in elsewhere:
        with socket.socket() as probe:
            assert probe.connect_ex((address, server.port)) != 0, address


def test_an_answer_is_sent_whole(local: LocalAws) -> None:
    """Terraform's client may lose one whose body follows its head (aws-sdk-go-v2 issue 1825)."""
    server = local.start()
    request = b"GET /_ministack/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for _ in range(200):
            connection.sendall(request)
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            assert length and len(body) == int(length[1]) > 0


def test_what_it_holds_survives_a_restart(local: LocalAws) -> None:
    def client() -> object:
        return boto3.client("s3", endpoint_url=local.start().endpoint, region_name="us-east-1",
                            aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip

    client().create_bucket(Bucket="kept")
    client().put_object(Bucket="kept", Key="a", Body=b"content")
    local.stop()
    assert client().get_object(Bucket="kept", Key="a")["Body"].read() == b"content"


def test_iam_is_enforced(local: LocalAws) -> None:
    endpoint = local.start().endpoint
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    iam = boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1", **keys)
    iam.create_user(UserName="nobody")
    made = iam.create_access_key(UserName="nobody")["AccessKey"]
    keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    with pytest.raises(ClientError, match="AccessDenied"):
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys).list_buckets()


def test_a_taken_port_is_refused_with_a_way_out(local: LocalAws) -> None:
    with (
        socket.create_server(("127.0.0.1", local.port)),
        pytest.raises(
            LocalAwsError, match=rf"Port {local.port} is already taken.*LOCAL_AWS_PORT={local.port + 1}"
        ),
    ):
        local.start()
    assert local.status() is None


def test_a_process_that_dies_is_reported_with_its_last_words(
    local: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = local.state_dir / "python"
    local.state_dir.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho the reason why >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(local_aws, "prepare", lambda *_a, **_k: broken)
    with pytest.raises(LocalAwsError, match=r"(?s)exit code 3.*the reason why"):
        local.start()
    assert local.status() is None


def test_a_server_that_never_answers_is_given_up_and_ended(
    local: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = local.state_dir / "python"
    local.state_dir.mkdir(parents=True)
    silent.write_text(f"#!/bin/sh\necho $$ > '{local.state_dir}/pid'\nsleep 600\n")
    silent.chmod(0o755)
    monkeypatch.setattr(local_aws, "prepare", lambda *_a, **_k: silent)
    with pytest.raises(LocalAwsError, match="did not answer within 1 s"):
        local.start(timeout=1)
    pid = int((local.state_dir / "pid").read_text())
    eventually(lambda: not group_lives(pid), "no process is left", 10)


@pytest.mark.parametrize("killed", [False, True])
def test_no_lambda_worker_outlives_the_server(local: LocalAws, killed: bool) -> None:
    server = local.start()
    invoke_a_function(server.endpoint)
    assert group_lives(server.pid)
    if killed:
        os.kill(server.pid, signal.SIGKILL)
    local.stop()
    eventually(lambda: not group_lives(server.pid), "no process is left", 10)


def test_a_recorded_pid_of_another_program_is_left_alone(local: LocalAws) -> None:
    local.state_dir.mkdir(parents=True)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        (local.state_dir / "server.json").write_text(f'{{"pid": {other.pid}, "port": {local.port}}}')
        assert local.status() is None
        assert local.stop() is False
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_the_command_line(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "tools.dev.local_aws",
            *arguments,
            "--state-dir",
            str(tmp_path / "aws"),
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run("status").returncode == 3
    started = run("start", "--port", str(free_port()))
    assert started.returncode == 0 and "Local AWS: http://127.0.0.1:" in started.stdout
    assert run("status").returncode == 0
    pid = int(started.stdout.rpartition("pid ")[2].strip(" )\n"))
    assert "stopped" in run("stop").stdout
    eventually(lambda: not group_lives(pid), "no process is left", 10)
