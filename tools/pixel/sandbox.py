"""`pixel sandbox`: a local TikTok, a local AWS and an endpoint, for trying things out."""

from __future__ import annotations

import signal
import socket
import threading
from contextlib import nullcontext
from typing import Annotated

import typer

from tools.pixel.console import CommandError, print_line, silence


def command(  # noqa: PLR0913  # one parameter for each option
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port of TikTok; 0 for any free port.", min=0, max=65535)
    ] = 8055,
    aws_port: Annotated[
        int, typer.Option(help="The port of AWS; 0 for any free port.", min=0, max=65535)
    ] = 5055,
    endpoint_port: Annotated[
        int, typer.Option(help="The port of the endpoint; 0 for any free port.", min=0, max=65535)
    ] = 8054,
    token: Annotated[
        list[str] | None, typer.Option(help="A valid access token; can be repeated.")
    ] = None,
    pixel: Annotated[
        list[str] | None, typer.Option(help="A valid pixel code; can be repeated.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            help="A SecureString in the Parameter Store; can be repeated.", metavar="NAME=VALUE"
        ),
    ] = None,
    logs: Annotated[
        bool, typer.Option("--logs", help="Show the log rows and metrics of the functions.")
    ] = False,
) -> None:
    """Serve a local TikTok, a local AWS and an endpoint until interrupted.

    AWS is Systems Manager and SQS, with the parameters of the stage dev and the queue of parked
    events, so that `sam local` works at once. The endpoint is the forward function, on this
    machine only; the Mappings page shows its last events. A POST to /redrive invokes the redrive
    function with the messages of the queue.
    """
    # moto and boto3 take a second to import: only for the commands that use them.
    from tools.sandbox.application import (  # noqa: PLC0415
        PARKED_QUEUE,
        environment,
        forward_application,
        put_parameters,
        redrive_application,
    )
    from tools.sandbox.aws import AwsSandbox  # noqa: PLC0415
    from tools.sandbox.endpoint import SEGMENT_PATH, SegmentEndpoint  # noqa: PLC0415
    from tools.sandbox.redrive import RedriveTrigger  # noqa: PLC0415
    from tools.sandbox.tiktok import (  # noqa: PLC0415
        ACCESS_TOKEN,
        PIXEL_CODE,
        TRACK_PATH,
        TikTokSandbox,
    )

    parameters = [_parameter(assignment) for assignment in parameter or []]
    for chosen in (port, aws_port):
        _check_port(host, chosen)
    _check_port("127.0.0.1", endpoint_port)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    tokens, pixels = token or [ACCESS_TOKEN], pixel or [PIXEL_CODE]
    with (
        TikTokSandbox(tokens=tokens, pixels=pixels, host=host, port=port) as tiktok,
        AwsSandbox(host=host, port=aws_port) as aws,
    ):
        put_parameters(aws)
        queue = aws.create_queue(PARKED_QUEUE)
        for name, value in parameters:
            aws.put_parameters({name: ("SecureString", value)})
        variables = environment(tiktok.url, aws.url, PARKED_QUEUE_URL=queue)
        with (
            forward_application(variables) as application,
            redrive_application(variables) as redrive,
            SegmentEndpoint(
                application, endpoint_port, RedriveTrigger(aws, queue, redrive).invoke
            ) as endpoint,
        ):
            print_line(f"TikTok    {tiktok.url}{TRACK_PATH}")
            print_line(f"          tokens {', '.join(tokens)}; pixels {', '.join(pixels)}")
            print_line(f"AWS       {aws.url}")
            print_line(f"Endpoint  {endpoint.url}{SEGMENT_PATH}")
            with nullcontext() if logs else silence():
                stopped.wait()


def _check_port(host: str, port: int) -> None:
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise CommandError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _parameter(assignment: str) -> tuple[str, str]:
    name, separator, value = assignment.partition("=")
    if not (name and separator and value):
        raise typer.BadParameter(f"{assignment}: must be NAME=VALUE", param_hint="--parameter")
    return name, value
