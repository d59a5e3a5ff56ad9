"""Measure the `sam build` output under the real runtime client: warm, cold, memory, size."""

from __future__ import annotations

import io
import json
import shutil
import ssl
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from tests.bench.workload import make_events
from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tools.sandbox import samples
from tools.sandbox.application import environment, put_parameters
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.runtime import LambdaRuntime
from tools.sandbox.tiktok import TikTokSandbox

ROOT = Path(__file__).parents[2]
BUILD = ROOT / ".aws-sam" / "build"
_FUNCTIONS = Path(__file__).parent / "functions"
_SAMPLE = "place-an-order"

COLD_ROUNDS = 11
WARM_ROUNDS = 15
WARM_REQUESTS = 100


@dataclass(frozen=True, slots=True)
class RuntimeResult:
    """Milliseconds, megabytes.

    Attributes:
        warm: (p50, p99) of the handler's time: ours, the bare floor's.
        cold: Shortest init duration: ours, the bare floor's, ours without byte code.
        first_response: Shortest time from the start of the process to its first response, which
            needs SSM and TikTok: ours, the bare function's with boto3.
        peak_rss_mb: After three batches of a thousand.
        sizes: (zipped, unzipped) by name.
    """

    warm: tuple[tuple[float, float], tuple[float, float]]
    cold: tuple[float, float, float]
    first_response: tuple[float, float]
    peak_rss_mb: float
    sizes: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Bench:
    python: str
    variables: dict[str, str]
    over_tls: dict[str, str]
    uncompiled: Path

    def runtime(self, handler: str, *paths: Path, over_tls: bool = False) -> LambdaRuntime:
        """Run a function; `over_tls` reaches TikTok as in production."""
        variables = self.variables | (self.over_tls if over_tls else {})
        return LambdaRuntime(python=self.python, handler=handler, paths=list(paths), env=variables)


_FORWARD = BUILD / "ForwardFunction"
LAYER = BUILD / "TikTokPixelLayer" / "python"


def measure(python: str) -> RuntimeResult:
    """Measure with the interpreter `python`, which has awslambdaric and boto3."""
    with _bench(python) as bench:
        cold, first_response = _cold(bench)
        return RuntimeResult(
            warm=_warm(bench),
            cold=cold,
            first_response=first_response,
            peak_rss_mb=_peak(bench),
            sizes={
                "function": _size(_FORWARD),
                "layer": _size(LAYER.parent),
            },
        )


@contextmanager
def _bench(python: str) -> Iterator[_Bench]:
    with (
        TikTokSandbox() as tiktok,
        TikTokSandbox(tls=True) as secure_tiktok,
        AwsSandbox() as aws,
        tempfile.TemporaryDirectory() as folder,
    ):
        put_parameters(aws)
        variables = environment(tiktok.url, aws.url) | {
            "WEBHOOK_SECRET": DEVELOPMENT_SECRET,
            "PREPARED_REQUEST": f"{folder}/request.json",
        }
        uncompiled = Path(folder) / "python"
        shutil.copytree(LAYER, uncompiled, ignore=shutil.ignore_patterns("__pycache__"))
        over_tls = {
            "TIKTOK_API_URL": secure_tiktok.url,
            "SSL_CERT_FILE": str(_certificates(Path(folder), secure_tiktok)),
        }
        bench = _Bench(python, variables, over_tls, uncompiled)
        with bench.runtime("app.handler", _FORWARD, LAYER) as function:
            function.invoke(samples.read(samples.SIGNED + _SAMPLE))
        Path(variables["PREPARED_REQUEST"]).write_bytes(tiktok.requests[-1].body)
        yield bench


def _certificates(folder: Path, tiktok: TikTokSandbox) -> Path:
    """Write the system's certificates and the sandbox's into one file.

    Reading them is a good part of a cold start, so there have to be as many as in production.
    """
    assert tiktok.certificate_file is not None
    system = ssl.get_default_verify_paths().cafile
    file = folder / "certificates.pem"
    file.write_bytes(
        (Path(system).read_bytes() if system else b"") + tiktok.certificate_file.read_bytes()
    )
    return file


def _warm(bench: _Bench) -> tuple[tuple[float, float], tuple[float, float]]:
    """Measure handler times in alternating rounds: a slow moment of the machine affects both."""
    event = samples.read(samples.SIGNED + _SAMPLE)
    ours: list[float] = []
    bare: list[float] = []
    timed = _FUNCTIONS / "timed"
    with (
        bench.runtime("timed.handler", timed, _FORWARD, LAYER) as forward,
        bench.runtime("timed.handler", timed, _FUNCTIONS / "bare", LAYER) as floor,
    ):
        for function in (forward, floor):
            for _ in range(20):
                assert function.invoke(event).payload["status"] == 200
        for _ in range(WARM_ROUNDS):
            for function, times in ((forward, ours), (floor, bare)):
                times += [
                    function.invoke(event).payload["seconds"] * 1000 for _ in range(WARM_REQUESTS)
                ]
    return _percentiles(ours), _percentiles(bare)


def _cold(bench: _Bench) -> tuple[tuple[float, float, float], tuple[float, float]]:
    """Measure the shortest init durations and first responses of interleaved rounds."""
    event = samples.read(samples.SIGNED + _SAMPLE)
    kinds = {
        "ours": (_FORWARD, LAYER),
        "bare": (_FUNCTIONS / "empty", LAYER),
        "uncompiled": (_FORWARD, bench.uncompiled),
        "boto3": (_FUNCTIONS / "boto3", LAYER),
    }
    inits: dict[str, list[float]] = {kind: [] for kind in kinds}
    responses: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(COLD_ROUNDS):
        for kind, paths in kinds.items():
            with bench.runtime("app.handler", *paths, over_tls=True) as function:
                response = function.invoke(event)
                assert response.payload["statusCode"] == 200
                inits[kind].append(function.init_duration_ms)
                responses[kind].append(response.seconds * 1000)
    init = {kind: min(durations) for kind, durations in inits.items()}
    return (
        (init["ours"], init["bare"], init["uncompiled"]),
        (min(responses["ours"]), min(responses["boto3"])),
    )


def _peak(bench: _Bench) -> float:
    batch = samples.signed(make_events(1000, 0))
    with bench.runtime("app.handler", _FORWARD, LAYER) as function:
        for _ in range(3):
            response = function.invoke(batch)
            assert json.loads(response.payload["body"])["status"] == "forwarded"
        return function.peak_rss_kb / 1024


def _percentiles(times: list[float]) -> tuple[float, float]:
    cuts = quantiles(times, n=100)
    return cuts[49], cuts[98]


def _size(folder: Path) -> tuple[float, float]:
    """Return the megabytes of the folder's zip and of its files."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder))
    unzipped = sum(path.stat().st_size for path in files)
    return len(buffer.getvalue()) / 1e6, unzipped / 1e6
