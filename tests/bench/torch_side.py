"""PyTorch's side of the comparison: answers each line {"call", "given"} with {"value"} or {"error"}.

A workload is a file workloads/NAME.torch.py with prepare(device), which returns the work that is timed; it ends
when its numbers are read. One thread on a processor, since that is what a browser's WASM has.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path

import torch

folder = Path(__file__).parent
sys.path.insert(0, str(folder))
torch.set_num_threads(1)

state = {"device": None}
ready = {}


def titles():
    return {path.name.split(".")[0]: {"title": path.name} for path in (folder / "workloads").glob("*.torch.py")}


def start(device):
    state["device"] = torch.device(device)
    torch.zeros(1, device=state["device"]).item()


def prepare(name):
    path = folder / "workloads" / f"{name}.torch.py"
    if not path.exists():
        raise RuntimeError("–")
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(1)
    ready[name] = module.prepare(state["device"])
    ready[name]()
    ready[name]()


def timed(name):
    started = time.perf_counter()
    ready[name]()
    return (time.perf_counter() - started) * 1000


calls = {"titles": titles, "start": start, "prepare": prepare, "time": timed, "look": lambda name: {"tensors": 0}}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": calls[asked["call"]](*asked["given"])}
    except Exception as error:  # the command wants a sentence, whatever it was
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
