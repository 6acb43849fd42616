"""Run one of Tryton's programs in this process, and end with the process that started it.

Run as a file, never imported: `python -P daemon.py PROGRAM ARGUMENT…`. The starter holds the other end of standard
input; when it ends, for whatever reason, the pipe closes and so does Tryton. PR_SET_PDEATHSIG would not do: it fires
when the *thread* that started the child ends, works on Linux only, and needs a preexec_fn, unsafe beside threads.
"""

import os
import runpy
import sys
import threading


def _end_with_starter() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_starter, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
