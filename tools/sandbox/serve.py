"""The sandbox as a command, for a person at a terminal and for containers.

    python -m tools.sandbox.serve --host 0.0.0.0 --port 8080 --aws-port 8081

TikTok answers on the one port (see `tools.sandbox.control` for what it can be asked), AWS
Systems Manager and SQS on the other, until interrupted. The parameters of the stage `dev` and
the queue of parked events are there, so that `sam local` works at once.
"""

from __future__ import annotations

import argparse
import signal
import threading

from tools.sandbox.application import PARKED_QUEUE, put_parameters
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE, TRACK_PATH, TikTokSandbox


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tools.sandbox.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=0, help="TikTok's port; 0 for a free one")
    parser.add_argument("--aws-port", type=int, default=0, help="AWS' port; 0 for a free one")
    parser.add_argument("--token", action="append", help="a valid access token; may be repeated")
    parser.add_argument("--pixel", action="append", help="a valid pixel code; may be repeated")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a SecureString in the Parameter Store; may be repeated",
    )
    options = parser.parse_args(arguments)
    finished = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: finished.set())
    tokens, pixels = options.token or [ACCESS_TOKEN], options.pixel or [PIXEL_CODE]
    with (
        TikTokSandbox(tokens=tokens, pixels=pixels, host=options.host, port=options.port) as tiktok,
        AwsSandbox(host=options.host, port=options.aws_port) as aws,
    ):
        put_parameters(aws)
        aws.create_queue(PARKED_QUEUE)
        for assignment in options.parameter:
            name, _, value = assignment.partition("=")
            aws.put_parameters({name: ("SecureString", value)})
        print(f"TikTok  {tiktok.url}{TRACK_PATH}", flush=True)
        print(f"        tokens {', '.join(tokens)}; pixels {', '.join(pixels)}", flush=True)
        print(f"AWS     {aws.url}", flush=True)
        finished.wait()


if __name__ == "__main__":
    main()
