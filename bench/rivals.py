"""The benchmark's Python side: python3 rivals.py CONTENDER WORKERS

It obeys the same orders as the Go contenders (internal/drive): one JSON value a
line on standard input, one reply a line on standard output. All loops and all
clocks are here, so that the pipe of the orders is never part of a figure.
"""

import json
import multiprocessing as mp
import pickle
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import resource_tracker, shared_memory

now = time.perf_counter_ns
MASK = (1 << 64) - 1


# What runs in the workers.

def echo(value):
    return value


def successor(i):
    return i + 1


def spin(turns):
    x = 88172645463325252
    for _ in range(turns):
        x ^= (x << 13) & MASK
        x ^= x >> 7
        x ^= (x << 17) & MASK
    return x


def item(packed):
    return (packed & 0xFFFFFFFF) * 2 + 1 ^ (spin(packed >> 32) & 0xFFFF)


def probe(b):
    n = len(b)
    return n << 24 | b[0] << 16 | b[n // 2] << 8 | b[n - 1]


def probe_shared(name, size):
    if sys.version_info >= (3, 13):
        segment = shared_memory.SharedMemory(name=name, track=False)
    else:  # or this worker's tracker would remove the segment at its end
        segment = shared_memory.SharedMemory(name=name)
        resource_tracker.unregister(segment._name, "shared_memory")
    try:
        with segment.buf[:size] as view:
            return probe(view)
    finally:
        segment.close()


def send_byte(pipe):
    pipe.send_bytes(b"x")
    pipe.close()


def share_barrier(barrier):
    global the_barrier
    the_barrier = barrier


def meet(_):
    the_barrier.wait()


def locked(n):
    acquire, release, count = the_lock.acquire, the_lock.release, the_count
    for _ in range(n):
        acquire()
        count.value += 1
        release()


def locked_alone(lock, n):
    acquire, release = lock.acquire, lock.release  # "with lock" costs some times more
    count = 0
    for _ in range(n):
        acquire()
        count += 1
        release()
    return count


def share_lock(lock, count):
    global the_lock, the_count
    the_lock, the_count = lock, count


def wrong(what, got, want):
    raise ValueError(f"{what} came back as {got!r}, want {want!r}")


class Calls:
    """The orders that are calls, on top of call, each and width."""

    def echo(self, o):
        data = bytes(range(64))
        return self.trips(o["n"], lambda i: data)

    def record(self, o):
        return self.trips(o["n"], lambda i: (i, "a name of some length", [float(i + k) for k in range(16)]))

    def trips(self, n, make):
        samples = []
        for i in range(n):
            value = make(i)
            begin = now()
            got = self.call(echo, value)
            samples.append(now() - begin)
            if got != value:
                wrong("an echo", got, value)
        return {"samples": samples}

    def calls(self, o):
        counts, failures = [], []
        begin = now()
        until = begin + o["nanos"]

        def caller(i):
            n = 0
            try:
                while n == 0 or now() < until:
                    got = self.call(successor, i)
                    if got != i + 1:
                        wrong("a successor", got, i + 1)
                    i += 1
                    n += 1
            except Exception as e:
                failures.append(e)
            counts.append(n)

        threads = [threading.Thread(target=caller, args=(i,)) for i in range(o["callers"])]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if failures:
            raise failures[0]
        return {"count": sum(counts), "nanos": now() - begin}

    def map(self, o):
        return self.items(o, self.each)

    def serial(self, o):
        return self.items(o, lambda f, ins: list(map(f, ins)))

    def items(self, o, each):
        n, turns = o["n"], o.get("turns", 0)
        ins = range(turns << 32, (turns << 32) + n)
        begin = now()
        out = each(item, ins)
        took = now() - begin
        mask = spin(turns) & 0xFFFF
        for i, got in enumerate(out):
            if got != i * 2 + 1 ^ mask:
                wrong(f"item {i}", got, i * 2 + 1 ^ mask)
        return {"nanos": took}

    def payload(self, o):
        n, size = o["n"], o["size"]
        data = bytearray(range(256)) * (size // 256 + 1)
        samples = []
        for i in range(n):
            data[0], data[size // 2], data[size - 1] = i & 255, i + 1 & 255, i + 2 & 255
            payload = bytes(data[:size])
            begin = now()
            got = self.send(payload)
            samples.append(now() - begin)
            if got != probe(payload):
                wrong("a probe", got, probe(payload))
        return {"samples": samples}

    def send(self, payload):
        return self.call(probe, payload)


class Pool(Calls):
    chunk = None

    def __init__(self, workers):
        self.pool = mp.get_context("fork").Pool(workers)

    def call(self, f, *args):
        return self.pool.apply(f, args)

    def each(self, f, ins):
        return self.pool.map(f, ins, self.chunk)

    def close(self):
        self.pool.close()
        self.pool.join()


class Executor(Calls):
    chunk = 1

    def __init__(self, workers):
        self.pool = ProcessPoolExecutor(workers, mp_context=mp.get_context("fork"))
        self.call(echo, 0)

    def call(self, f, *args):
        return self.pool.submit(f, *args).result()

    def each(self, f, ins):
        return list(self.pool.map(f, ins, chunksize=self.chunk))

    def close(self):
        self.pool.shutdown()


class ChunkedExecutor(Executor):
    chunk = 1024


class SharedMemory(Pool):
    """The bytes go through a segment that is there already: one copy in, and the
    worker attaches to it by name."""

    segment = None

    def send(self, payload):
        self.segment.buf[: len(payload)] = payload
        return self.call(probe_shared, self.segment.name, len(payload))

    def payload(self, o):
        if self.segment is None or self.segment.size < o["size"]:
            self.drop()
            self.segment = shared_memory.SharedMemory(create=True, size=o["size"])
        return super().payload(o)

    def drop(self):
        if self.segment is not None:
            self.segment.close()
            self.segment.unlink()

    def close(self):
        super().close()
        self.drop()


class Process:
    """Starts, and pools that idle, by one of the three ways to make a process."""

    def __init__(self, method):
        self.context = mp.get_context(method)

    def start(self, o):
        samples, joins = [], []
        for _ in range(o["n"]):
            r, w = self.context.Pipe(duplex=False)
            begin = now()
            p = self.context.Process(target=send_byte, args=(w,))
            p.start()
            w.close()
            r.recv_bytes()
            samples.append(now() - begin)
            p.join()
            joins.append(now() - begin)
            r.close()
        return {"samples": samples, "joins": joins}

    def crowd(self, o):
        n = o["n"]
        begin = now()
        self.pool = self.context.Pool(n, share_barrier, (self.context.Barrier(n),))
        self.pool.map(meet, range(n), 1)  # returns when every worker has a task
        return {"nanos": now() - begin}

    def disperse(self, o):
        self.pool.close()
        self.pool.join()
        return {}

    def close(self):
        pass


class Pickle:
    """The codec alone."""

    def codec(self, o):
        value = (1, "a name of some length", [float(k) for k in range(16)])
        dumps, loads = pickle.dumps, pickle.loads
        begin = now()
        for _ in range(o["n"]):
            got = loads(dumps(value, -1))
        took = now() - begin
        if got != value:
            wrong("a value", got, value)
        return {"nanos": took}

    def close(self):
        pass


class Lock:
    """multiprocessing.Lock around a plain shared counter."""

    def lock(self, o):
        n, owners = o["n"], o["callers"]
        context = mp.get_context("fork")
        lock, count = context.Lock(), context.RawValue("q", 0)
        if owners == 1:
            begin = now()
            count.value = locked_alone(lock, n)
            took = now() - begin
        else:
            with context.Pool(owners, share_lock, (lock, count)) as pool:
                pool.map(locked, [0] * owners, 1)
                begin = now()
                pool.map(locked, [n] * owners, 1)
                took = now() - begin
        if count.value != n * owners:
            wrong("the count", count.value, n * owners)
        return {"nanos": took}

    def close(self):
        pass


def main():
    kind, workers = sys.argv[1], int(sys.argv[2])
    make = {
        "pool": lambda: Pool(workers),
        "executor": lambda: Executor(workers),
        "executor-1024": lambda: ChunkedExecutor(workers),
        "shared-memory": lambda: SharedMemory(workers),
        "fork": lambda: Process("fork"),
        "forkserver": lambda: Process("forkserver"),
        "spawn": lambda: Process("spawn"),
        "pickle": Pickle,
        "lock": Lock,
    }

    def reply(value):
        print(json.dumps(value, separators=(",", ":")), flush=True)

    try:
        session = make[kind]()
    except Exception as e:
        reply({"error": repr(e)})
        return
    reply({})
    for line in sys.stdin:
        o = json.loads(line)
        try:
            reply(getattr(session, o["do"])(o))
        except Exception as e:
            reply({"error": repr(e)})
    session.close()


if __name__ == "__main__":
    main()
