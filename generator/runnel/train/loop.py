# SPDX-License-Identifier: Apache-2.0
"""The training loop: seeded, with a checkpoint after every epoch, so that it can be stopped and resumed.

Every epoch draws its randomness from (seed, epoch) alone: a resumed run equals an uninterrupted one.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from runnel.errors import InputError
from runnel.train.augment import Augmentation
from runnel.train.data import Floats
from runnel.train.net import Architecture, Net

Batch = tuple[Floats, Floats]
Indices = npt.NDArray[Any]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the trained weights, apart from the data."""

    architecture: Architecture
    epochs: int = 110
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    warmup_epochs: int = 3
    label_smoothing: float = 0.1
    average_decay: float = 0.998
    seed: int = 1
    threads: int = 2
    augmentation: Any = field(default_factory=Augmentation)  # settings of the Examples


class Examples(Protocol):
    """Where an epoch's batches come from."""

    def steps(self, recipe: Recipe) -> int:
        """Batches of one epoch."""

    def batches(self, recipe: Recipe, epoch: int) -> Iterator[Batch]:
        """The inputs (n x height x width x channels) and targets (n x classes) of an epoch, varied at random."""


@dataclass
class Progress:
    """The state of a run after `epoch` epochs; what a checkpoint holds."""

    net: Net
    average: Net
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def start(recipe: Recipe) -> Progress:
    """Build a freshly initialised net, its running average and the optimizer."""
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    net = Net(recipe.architecture).to(memory_format=torch.channels_last)  # twice as fast as NCHW on a CPU
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    return Progress(net, copy.deepcopy(net), optimizer)


def save(progress: Progress, recipe: Recipe, path: Path) -> None:
    """Write a checkpoint; an interrupted write leaves the previous one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "recipe": repr(recipe),
        "net": progress.net.state_dict(),
        "average": progress.average.state_dict(),
        "optimizer": progress.optimizer.state_dict(),
        "epoch": progress.epoch,
        "seconds": progress.seconds,
        "cpu_seconds": progress.cpu_seconds,
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def resume(recipe: Recipe, path: Path) -> Progress:
    """Continue from the checkpoint at `path` if there is one. Raises InputError if it is of another recipe."""
    progress = start(recipe)
    if not path.exists():
        return progress
    state: dict[str, Any] = torch.load(path, weights_only=True)
    if state["recipe"] != repr(recipe):
        raise InputError(f"checkpoint {path} was made with other settings; delete it or choose another --work")
    progress.net.load_state_dict(state["net"])
    progress.average.load_state_dict(state["average"])
    progress.optimizer.load_state_dict(state["optimizer"])
    progress.epoch = state["epoch"]
    progress.seconds, progress.cpu_seconds = state["seconds"], state["cpu_seconds"]
    return progress


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """Linear warm-up, then a cosine to zero."""
    if epoch < recipe.warmup_epochs:
        return recipe.learning_rate * epoch / recipe.warmup_epochs
    rest = (epoch - recipe.warmup_epochs) / (recipe.epochs - recipe.warmup_epochs)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * rest))


def ahead(rows: Sequence[Indices], make: Callable[[Indices], Batch]) -> Iterator[Batch]:
    """make(row) of every row in order; the next one is prepared while the net works on this one."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(make, rows[0])
        for following in rows[1:]:
            batch = waiting.result()
            waiting = pool.submit(make, following)
            yield batch
        yield waiting.result()


def batch_rows(order: Indices, size: int) -> list[Indices]:
    """Cut `order` into full batches; the rest is left out this time: batch norm dislikes small batches."""
    return [order[i * size : (i + 1) * size] for i in range(max(len(order) // size, 1))]


def to_net(inputs: Floats) -> torch.Tensor:
    """n x height x width x channels as the net wants them; the memory order stays, only the view changes."""
    return torch.from_numpy(np.ascontiguousarray(inputs)).permute(0, 3, 1, 2)


def train_epoch(progress: Progress, examples: Examples, recipe: Recipe, tick: Callable[[], None]) -> float:
    """Run one epoch and return its mean loss; `tick` is called after every step."""
    torch.manual_seed(recipe.seed * 100_003 + progress.epoch)
    progress.net.train()
    losses = []
    steps = examples.steps(recipe)
    for step, (inputs, targets) in enumerate(examples.batches(recipe, progress.epoch)):
        for group in progress.optimizer.param_groups:
            group["lr"] = learning_rate(recipe, progress.epoch + (step + 1) / steps)
        loss = functional.cross_entropy(progress.net(to_net(inputs)), torch.from_numpy(targets))
        progress.optimizer.zero_grad()
        loss.backward()
        progress.optimizer.step()
        follow(progress, recipe, progress.epoch * steps + step)
        losses.append(loss.item())
        tick()
    progress.epoch += 1
    return float(np.mean(losses))


@torch.no_grad()
def follow(progress: Progress, recipe: Recipe, step: int) -> None:
    """Move the averaged net towards the trained one; early on faster, so that it forgets the start."""
    decay = min(recipe.average_decay, (1 + step) / (10 + step))
    current = progress.net.state_dict()
    for name, value in progress.average.state_dict().items():
        if value.is_floating_point():
            value.lerp_(current[name], 1 - decay)
        else:
            value.copy_(current[name])


@torch.no_grad()
def logits_of(net: Net, inputs: npt.NDArray[Any], to_real: Callable[[Any], Floats], batch: int = 128) -> Floats:
    """Logits (n x classes) of integers as a data set holds them; `to_real` makes them what the net was trained on."""
    net.eval()
    parts = [net(to_net(to_real(inputs[i : i + batch]))).numpy() for i in range(0, len(inputs), batch)]
    return np.concatenate(parts)


def train(
    progress: Progress,
    examples: Examples,
    recipe: Recipe,
    checkpoint: Path,
    report: Callable[[Progress, float], None],
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Train until the recipe's last epoch; `report` gets the state and the loss after each."""
    while progress.epoch < recipe.epochs:
        clock, cpu = time.monotonic(), time.process_time()
        loss = train_epoch(progress, examples, recipe, tick)
        progress.seconds += time.monotonic() - clock
        progress.cpu_seconds += time.process_time() - cpu
        save(progress, recipe, checkpoint)
        report(progress, loss)
