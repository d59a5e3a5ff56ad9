"""`pixel configure` against a local AWS, answering its questions through a pipe or a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import tomllib
from contextlib import suppress

import pytest

from tests.unit.tools.stages.world import World
from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tools.ops.template import ROOT, load_samconfig
from tools.pixel.samconfig import read_overrides, with_parameters
from tools.pixel.stage import load_stage
from tools.sandbox.application import FOLDER, put_parameters
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE

# Questions for the three SSM parameters that exist: keep each.
KEEP = "n\nn\nn\n"
SECRETS = f"{PIXEL_CODE}\n{ACCESS_TOKEN}-0123456789\n"


def test_stores_what_the_functions_read(world: World) -> None:
    run = _configure(world, f"{PIXEL_CODE}\n{ACCESS_TOKEN}-0123456789\n" + "\n" * 5)

    stored = _parameters(world)
    assert stored["pixel-code"] == ("String", PIXEL_CODE)
    assert stored["access-token"] == ("SecureString", f"{ACCESS_TOKEN}-0123456789")
    kind, secret = stored["webhook-secret"]
    assert (kind, len(secret)) == ("SecureString", 64)
    assert run.stdout.count(secret) == 1
    assert ACCESS_TOKEN not in run.stdout


def test_keeps_what_exists(world: World) -> None:
    put_parameters(world.aws)
    before = _parameters(world)

    run = _configure(world, KEEP + "\n" * 5)

    assert _parameters(world) == before
    assert "pixel-code exists (version 1" in run.stderr
    assert DEVELOPMENT_SECRET not in run.stdout + run.stderr


def test_replaces_only_what_is_confirmed(world: World) -> None:
    put_parameters(world.aws)

    _configure(world, "n\ny\na-new-token-0123456789\nn\n" + "\n" * 5)

    assert _parameters(world)["access-token"] == ("SecureString", "a-new-token-0123456789")
    assert _parameters(world)["webhook-secret"][1] == DEVELOPMENT_SECRET


def test_writes_template_parameters_after_showing_them(world: World) -> None:
    put_parameters(world.aws)

    run = _configure(world, f"{KEEP}https://shop.example/\nDE\nfull\nops@shop.example\ny\n")

    assert '+  "DefaultPhoneRegion=DE",' in run.stdout
    deploy = load_samconfig(world.config)["dev"]["deploy"]["parameters"]
    assert {
        "DefaultPageUrl=https://shop.example/",
        "DefaultPhoneRegion=DE",
        "MappingSet=full",
        "AlarmEmail=ops@shop.example",
    } <= set(deploy["parameter_overrides"])
    assert world.config.read_text().startswith("# One environment per stage")


def test_dry_run_changes_nothing(world: World) -> None:
    before = world.config.read_text()

    run = _configure(world, f"{PIXEL_CODE}\n{ACCESS_TOKEN}-0123456789\n\nDE\n\n\n", "--dry-run")

    assert _parameters(world) == {}
    assert world.config.read_text() == before
    assert f"would store {FOLDER}/webhook-secret" in run.stdout


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("C0 DE\n", "A pixel code has letters and digits only"),
        (f"{PIXEL_CODE}\nshort\n", "An access token has at least 16 ASCII characters"),
        (f"{SECRETS}shop.example\n", 'DefaultPageUrl cannot be "shop.example". Page URL of'),
        (f"{SECRETS}\nUSA\n", 'DefaultPhoneRegion cannot be "USA". ISO 3166-1 alpha-2'),
        (f"{SECRETS}\n\nbest\n", "MappingSet must be one of: default, full, custom."),
        (f"{SECRETS}\n\n\nops\n", 'AlarmEmail cannot be "ops". E-mail address'),
    ],
)
def test_a_wrong_answer_ends_the_questions_and_stores_nothing(
    world: World, typed: str, message: str
) -> None:
    before = world.config.read_text()

    run = _configure(world, typed, status=1)

    assert run.stderr.splitlines()[-1].count(message) == 1
    assert _parameters(world) == {}
    assert world.config.read_text() == before


def test_on_a_terminal_a_wrong_answer_is_asked_again_at_once(world: World) -> None:
    put_parameters(world.aws)

    screen = _configure_on_terminal(
        world,
        *(("Replace it?", "n"), ("Replace it?", "n"), ("Replace it?", "n")),
        ("Address of your site", "shop.example"),
        ("Address of your site", "https://shop.example/"),
        *(("Country", ""), ("Mapping set", ""), ("Email", ""), ("Write samconfig.toml?", "y")),
    )

    refused = screen.index('DefaultPageUrl cannot be "shop.example". ')
    assert "Address of your site" in screen[:refused]
    assert "Country" not in screen[:refused]
    overrides = load_stage("dev", path=world.config).overrides
    assert overrides["DefaultPageUrl"] == "https://shop.example/"


def test_without_an_address_for_alarms_it_says_that_none_arrives(world: World) -> None:
    put_parameters(world.aws)
    run = _configure(world, f"{KEEP}\n\n\nops@shop.example\ny\n")
    assert "AWS asks the address to confirm" in run.stdout

    run = _configure(world, f"{KEEP}\n\n\n-\ny\n")

    assert "Email address for alarms (- for none) [ops@shop.example]" in run.stderr
    assert "Without AlarmEmail or AlarmTopicArn, no alarm reaches anybody." in run.stdout
    assert load_stage("dev", path=world.config).overrides["AlarmEmail"] == ""


def test_a_cleared_parameter_is_written_as_empty() -> None:
    """A missing line would keep the value of the stack."""
    text = (ROOT / "samconfig.toml").read_text()

    cleared = with_parameters(
        with_parameters(text, "dev", {"TestEventCode": "TEST1"}), "dev", {"TestEventCode": ""}
    )

    overrides = tomllib.loads(cleared)["dev"]["deploy"]["parameters"]["parameter_overrides"]
    assert 'TestEventCode=""' in overrides
    assert read_overrides(overrides)["TestEventCode"] == ""


def _configure(
    world: World, typed: str, *options: str, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process without a terminal, which reads answers from its input."""
    run = subprocess.run(
        [*_command(world), *options],
        cwd=ROOT,
        env=_environment(),
        input=typed,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == status, run.stderr
    return run


def _configure_on_terminal(world: World, *dialogue: tuple[str, str]) -> str:
    """Run the command on a terminal, answer its questions, and return what it showed."""
    terminal, end = pty.openpty()
    with subprocess.Popen(
        _command(world),
        cwd=ROOT,
        env=_environment() | {"TERM": "dumb", "COLUMNS": "80"},
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    ) as process:
        os.close(end)
        screen = ""
        # Reading fails when the process has closed the terminal.
        with suppress(OSError):
            for question, answer in dialogue:
                asked = len(screen)
                while question not in screen[asked:]:
                    screen += _read(terminal)
                os.write(terminal, f"{answer}\n".encode())
            while read := _read(terminal):
                screen += read
    os.close(terminal)
    assert process.returncode == 0, screen
    return screen


def _read(terminal: int) -> str:
    readable, _, _ = select.select([terminal], [], [], 60)
    if not readable:
        raise TimeoutError
    return os.read(terminal, 4096).decode()


def _command(world: World) -> list[str]:
    return [
        *(sys.executable, "-m", "tools.pixel.app", "configure", "dev"),
        *("--config-file", str(world.config)),
    ]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'tiktok_pixel'}"}


def _parameters(world: World) -> dict[str, tuple[str, str]]:
    names = [f"{FOLDER}/{name}" for name in ("pixel-code", "access-token", "webhook-secret")]
    found = world.aws.ssm.get_parameters(Names=names, WithDecryption=True)["Parameters"]
    return {one["Name"].rpartition("/")[2]: (one["Type"], one["Value"]) for one in found}
