"""`python -m trueup` is the command `trueup`."""

from trueup.cli.entry import run

if __name__ == "__main__":
    run()
