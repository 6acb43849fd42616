"""Become a server: drop root, tie our life to the parent's, exec. Run as a script, never imported.

    python -I -S launch.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM ARGUMENT...

A script instead of `preexec_fn`, which may deadlock in a process with threads. UID and GID are -1 to stay as we are.
The order matters: Linux clears the death signal when the user id changes (prctl(2), PR_SET_PDEATHSIG).
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Replace this process by the program in `arguments`; exit 126 if it cannot be executed."""
    parent_pid, death_signal, uid, gid = (int(value) for value in arguments[:4])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit("the process that started this server has ended")
    program = arguments[4]
    try:
        os.execvp(program, arguments[4:])  # noqa: S606 - the whole point; no shell is involved
    except OSError as error:
        sys.stderr.write(f"cannot execute {program}: {error}\n")
        sys.exit(126)


if __name__ == "__main__":
    main(sys.argv[1:])
