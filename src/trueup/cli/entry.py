"""The console entry: signals first, then everything else. Knows no command, and imports next to nothing early."""

from __future__ import annotations

import signal
import sys
import warnings


def run() -> None:
    """Run the command line and exit. SIGTERM counts as Ctrl-C, and neither counts once the work is done."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if not sys.warnoptions:  # an interrupt leaves loops and coroutines half made; Python remarks on that to programmers
        warnings.simplefilter("ignore")
        sys.unraisablehook = lambda _: None
    try:
        from trueup.cli.main import main

        code = main(sys.argv[1:])
    except (KeyboardInterrupt, RuntimeError) as error:  # while modules were loaded, or while the first one was reported
        interrupt = error if isinstance(error, KeyboardInterrupt) else error.__cause__
        if not isinstance(interrupt, KeyboardInterrupt):  # what interrupts the making of a class, Python 3.11 wraps
            raise
        code = _report_interrupt(interrupt)
    _ignore_signals()  # else one that comes while the interpreter ends would hide the code
    try:
        sys.stdout.flush()
    except OSError:  # what was to be said of it has been
        from trueup.cli.output import discard_output

        discard_output(sys.stdout)
    sys.exit(code)


def _report_interrupt(error: KeyboardInterrupt) -> int:
    _ignore_signals()
    from trueup.cli.failure import report_failure
    from trueup.cli.output import prepare_streams

    prepare_streams()
    return report_failure(error, sys.argv[1:])


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
