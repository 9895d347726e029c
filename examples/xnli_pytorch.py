"""The job of `xnli_finetune.py` in plain PyTorch: every step in the open, with our parts.

python examples/xnli_pytorch.py --train mnli/en.train.jsonl --test xnli/dev-de.tsv --out runs/nli-pt
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from interlingua.base.files import atomic_folder
from interlingua.base.progress import set_quiet, track
from interlingua.batches.buckets import plan, shuffled_plan
from interlingua.batches.tokens import Tokenized, pad, tokenize
from interlingua.models.encoder import PooledEncoder, load_encoder
from interlingua.models.folder import ModelFolder, in_pairs, open_model
from interlingua.models.heads import Head
from interlingua.models.save import save_model
from interlingua.objectives.cross_entropy import cross_entropy
from interlingua.tasks.examples import Examples, read_examples
from interlingua.tasks.metrics.classification import accuracy, macro_f1
from interlingua.tasks.record import TASKS

TASK = TASKS.get("nli")
BUDGET = 2048  # padded tokens in a batch


class Net(torch.nn.Module):
    """An encoder, its states pooled, and a linear head: token ids in, logits [B, 3] out."""

    def __init__(self, folder: ModelFolder) -> None:
        super().__init__()
        encoder = load_encoder(folder)
        encoder.get_input_embeddings().requires_grad_(False)  # other languages keep their place
        self.pooled = PooledEncoder.for_folder(encoder, folder.with_info(normalize=False))
        self.head = torch.nn.Linear(folder.features, len(TASK.labels))

    def forward(self, ids: np.ndarray, mask: np.ndarray) -> torch.Tensor:
        """Logits of token ids and their mask [B, L]."""
        return self.head(self.pooled(torch.from_numpy(ids), torch.from_numpy(mask)))


def tokens(folder: ModelFolder, rows: Examples) -> Tokenized:
    """Pairs of texts as token ids, the second after the first."""
    info = folder.info
    return tokenize(
        folder.tokenizer(),
        rows.texts,
        pairs=rows.pairs,
        max_length=info.max_length,
        prefix=info.prefix(),
    )


def train(net: Net, folder: ModelFolder, rows: Examples, *, epochs: int, rate: float) -> None:
    """AdamW over length-bucketed batches in bfloat16, the rate falling to zero."""
    found, labels = tokens(folder, rows), torch.tensor(rows.label_ids(TASK.labels))
    rng = np.random.default_rng(0)
    batches = [
        batch
        for _ in range(epochs)
        for batch in shuffled_plan(found.lengths, token_budget=BUDGET, rng=rng, max_rows=32)
    ]
    trained = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=len(batches))
    net.train()
    with track("Training", len(batches), unit="steps") as bar:
        for batch in batches:
            ids, mask = pad([found.input_ids[i] for i in batch], folder.pad_id, multiple=8)
            with torch.autocast("cpu", torch.bfloat16):
                logits = net(ids, mask)
            loss = cross_entropy(logits, labels[batch])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            bar.advance(note=f"loss {float(loss.detach()):.3f}")


@torch.inference_mode()
def predict(net: Net, folder: ModelFolder, rows: Examples) -> np.ndarray:
    """The most probable label of each row [N]."""
    found = tokens(folder, rows)
    predicted = np.zeros(len(rows.rows), dtype=np.int64)
    net.eval()
    for batch in plan(found.lengths, token_budget=BUDGET):
        ids, mask = pad([found.input_ids[i] for i in batch], folder.pad_id, multiple=8)
        predicted[batch] = net(ids, mask).argmax(dim=1).numpy()
    return predicted


def save(net: Net, folder: ModelFolder, out: Path) -> None:
    """A model folder that `interlingua classify`, transformers and others open."""
    info = folder.info.model_copy(
        update={"task": TASK.name, "labels": TASK.labels, "normalize": False}
    )
    weight, bias = (p.detach().numpy() for p in net.head.parameters())
    with atomic_folder(out) as place:
        head = Head(weight, bias, TASK.labels)
        save_model(place, encoder=net.pooled.encoder, source=folder, info=info, head=head)


def main() -> None:
    """Train, test and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", required=True, help="rows with premise, hypothesis and label")
    parser.add_argument("--test", required=True, help="rows of another language")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--out", type=Path, default=Path("runs/nli-pytorch"))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=2e-4)
    given = parser.parse_args()
    set_quiet(False)
    torch.manual_seed(0)
    folder = in_pairs(open_model(given.model))  # its vectors tell the two texts apart
    net = Net(folder)
    rows = read_examples([given.train], TASK)
    train(net, folder, rows, epochs=given.epochs, rate=given.rate)
    test = read_examples([given.test], TASK)
    gold, predicted = np.array(test.label_ids(TASK.labels)), predict(net, folder, test)
    print(f"{', '.join(test.languages)}: accuracy {accuracy(gold, predicted):.3f}, ", end="")
    print(f"macro-F1 {macro_f1(gold, predicted, classes=len(TASK.labels)):.3f}")
    save(net, folder, given.out)
    print(f"saved: {given.out}")


if __name__ == "__main__":
    main()
