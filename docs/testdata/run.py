"""Runs the Python code of from-python.md: run.py ITEMS.json.

Each piece of code runs by itself, with the names of its section made fresh for
it. Those of asyncio run inside a coroutine.
"""
import asyncio, concurrent.futures, contextlib, faulthandler, functools, io, json, multiprocessing, os, queue, sys, threading, time
import multiprocessing.pool, multiprocessing.shared_memory, multiprocessing.connection
from multiprocessing import connection, shared_memory
from multiprocessing.pool import ThreadPool

multiprocessing.set_start_method("fork", force=True)


def leave(pool, *exception):
    """Ends a pool. Its own way is terminate, which hangs for ever if the worker that it
    kills holds the lock of the results at that moment."""
    pool.close()
    pool.join()


multiprocessing.pool.Pool.__exit__ = leave


def square(x): return x * x
def add(a, b): return a + b
def load(name): pass
def nap(seconds=0.05): time.sleep(seconds)
async def fetch(x): return x * x


def started(target, *args):
    p = multiprocessing.Process(target=target, args=args)
    p.start()
    return p


def thread_started():
    t = threading.Thread(target=nap, args=(0.01,))
    t.start()
    return t


class Fresh(dict):
    """Names made at first use, ended afterwards."""

    makers = {
        "multiprocessing": {
            "p": lambda self: started(nap),
            "pool": lambda self: multiprocessing.Pool(2),
            "r": lambda self: self["pool"].apply_async(square, (3,)),
            "lock": lambda self: multiprocessing.Lock(),
            "q": lambda self: multiprocessing.JoinableQueue(),
        },
        "threading": {"t": lambda self: thread_started(), "lock": lambda self: threading.Lock()},
        "concurrent.futures": {
            "pool": lambda self: concurrent.futures.ThreadPoolExecutor(2),
            "f": lambda self: self["pool"].submit(square, 3),
            "fs": lambda self: [self["pool"].submit(square, n) for n in (1, 2)],
        },
        "queue": {"q": lambda self: queue.Queue()},
        "asyncio": {},
    }

    def __init__(self, section):
        super().__init__()
        self.section = section
        module = sys.modules[section]
        self.names = {n: getattr(module, n) for n in module.__all__ if hasattr(module, n)}

    def __missing__(self, name):
        if name in self.makers[self.section]:
            self[name] = self.makers[self.section][name](self)
            return self[name]
        if name in self.names and name not in globals():
            return self.names[name]
        raise KeyError(name)


def run(section, code):
    if section == "asyncio":
        space = dict(globals())
        body = "async def piece():\n    q, lock, event = asyncio.Queue(), asyncio.Lock(), asyncio.Event(); loop = asyncio.get_running_loop()\n    " + code
        exec(compile(body, code, "exec"), space)
        asyncio.run(asyncio.wait_for(space["piece"](), 5))
        return
    space = Fresh(section)
    try:
        try:
            piece = compile(code, code, "eval")
        except SyntaxError:
            exec(compile(code, code, "exec"), globals(), space)
        else:
            assert eval(piece, globals(), space) is not False
    finally:
        if "pool" in space and hasattr(space["pool"], "terminate"):
            leave(space["pool"])


def main():
    passed = failed = 0
    for item in json.load(open(sys.argv[1])):
        faulthandler.dump_traceback_later(30, exit=True)  # a piece that hangs ends the run, and says where
        print(item["Section"], item["Name"], item["Code"], sep="  ", flush=True)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                run(item["Section"], item["Code"])
            passed += 1
        except BaseException as e:
            print("    FAILED:", type(e).__name__, e, flush=True)
            failed += 1
    faulthandler.cancel_dump_traceback_later()
    print(passed, "passed", failed, "failed", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
