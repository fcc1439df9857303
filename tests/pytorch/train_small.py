"""A short training on made-up images, alone or under torchrun: `train_small.py OUT.json PLAN`."""

import dataclasses
import json
import sys
from pathlib import Path

import torch
from torch import nn

from nn_tutorial.pytorch.modules import BatchNorm2d, Dropout
from nn_tutorial.pytorch.processes import processes
from nn_tutorial.pytorch.training import Images, Plan, normalisation, train

PLAN = Plan(epochs=3, batch_size=13, lr=0.01, seed=5, cosine=True, flip=True, image_size=7)
PLANS = {
    "plain": PLAN,
    "all": dataclasses.replace(PLAN, cosine=False, one_cycle=True, shift=2, mixup=0.4),
}


def small_images(n: int = 50) -> Images:
    """Images whose class can be told from their colour, a little."""
    draw = torch.Generator().manual_seed(0)
    y = torch.arange(n) % 3
    noise = torch.randint(0, 120, (n, 3, 6, 6), generator=draw)
    return Images((noise + 40 * torch.eye(3)[y][:, :, None, None]).to(torch.uint8), y)


def small_network() -> nn.Sequential:
    """Everything that could tell one process from two: normalisation and dropout."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, bias=False), BatchNorm2d(5), nn.ReLU(), Dropout(0.3),
        nn.Flatten(), nn.Linear(125, 3),
    ).double()  # fmt: skip


class InDouble(nn.Module):
    """A network of float64 for images that come as float32."""

    def __init__(self) -> None:
        super().__init__()
        self.network = small_network()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x.double())


def main(out: Path, plan: Plan) -> None:
    images, validation = small_images(), small_images(17)
    model = InDouble()
    with processes("cpu") as among:
        history = train(model, images, validation, plan, scale=normalisation(images.x), among=among)
        if among.rank == 0:
            weights = {name: value.tolist() for name, value in model.state_dict().items()}
            out.write_text(json.dumps({"history": history, "weights": weights}), encoding="utf-8")
    # A thread of the group's that is left can abort a process at its end, now and then.
    left = [task.read_text() for task in Path("/proc/self/task").glob("*/comm")]
    assert not [name for name in left if "gloo" in name], left


if __name__ == "__main__":
    main(Path(sys.argv[1]), PLANS[sys.argv[2]])
