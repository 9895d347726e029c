"""The learner of alignment: contrastive batches of any size, and retrieval as its measure.

Legend: P rows of a batch, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from interlingua.base.progress import track
from interlingua.base.seeding import generator
from interlingua.batches.buckets import IntArray, least_padding, plan
from interlingua.batches.mixture import Mixture
from interlingua.batches.tokens import pad
from interlingua.objectives.gradient_cache import RandomState, pull, vector_gradients
from interlingua.training.align.guesses import GuessObjective
from interlingua.training.stepwise import StepwiseLearner
from interlingua.training.trainable import BEFORE, depth_of, layer_of

if TYPE_CHECKING:
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.align.data import PairRows
    from interlingua.training.align.objectives import Asked, Objective
    from interlingua.training.align.settings import AlignSettings
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.distributed import Processes

_AT_ONCE = 8192  # padded tokens where nothing is learned
_RECTANGLE = {"cpu": 256, "cuda": 65536}
"""Padded tokens that one more rectangle is worth; a GPU takes as long for a small one."""


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """From token ids to vectors.

    Attributes:
        pad_id: Id of the padding token.
        arithmetic: Device and precision.
    """

    pad_id: int
    arithmetic: Arithmetic

    def batch(self, pooled: PooledEncoder, texts: Sequence[IntArray]) -> Tensor:
        """Vectors of texts, float32 [P, D]; like lengths are encoded together."""
        device = self.arithmetic.device
        parts = least_padding([len(text) for text in texts], each=_RECTANGLE.get(device.type, 256))
        found = []
        with torch.autocast(device.type, torch.bfloat16, enabled=self.arithmetic.bfloat16):
            for rows in parts:
                ids, mask = pad([texts[row] for row in rows], self.pad_id)
                found.append(
                    pooled(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
                )
        places = torch.from_numpy(np.argsort(np.concatenate(parts))).to(device)
        return torch.cat(found).index_select(0, places)

    @torch.inference_mode()
    def all(self, pooled: PooledEncoder, texts: Sequence[IntArray]) -> NDArray[np.float32]:
        """Vectors of any number of texts, without dropout, float32 [N, D]."""
        pooled.eval()
        batches = plan([len(text) for text in texts], token_budget=_AT_ONCE)
        found: NDArray[np.float32] | None = None
        with track("Encoding", len(texts), unit="texts") as progress:
            for rows in batches:
                vectors = self.batch(pooled, [texts[row] for row in rows]).cpu().numpy()
                if found is None:
                    found = np.zeros((len(texts), vectors.shape[1]), np.float32)
                found[rows] = vectors
                progress.advance(len(rows))
        assert found is not None
        return found


class Retrieval:
    """How often a held-out text finds its translation among all of its language.

    Args:
        rows: Held-out pairs.
        most: Pairs of two languages at most.
    """

    def __init__(self, rows: PairRows, most: int) -> None:
        self.texts: list[IntArray] = []
        self.pools: dict[tuple[str, str], tuple[IntArray, IntArray]] = {}
        places: dict[int, int] = {}
        for group in np.unique(rows.groups):
            members = np.flatnonzero(rows.groups == group)
            for side in (0, 1):  # a text that is in the pool twice has no right answer
                kept = np.unique(rows.numbers[members, side], return_index=True)[1]
                members = members[np.sort(kept)]
            rng = generator(0, "retrieval", *rows.languages[group])
            chosen = np.sort(rng.permutation(members)[:most])
            for row in chosen.tolist():
                for side in (0, 1):
                    number = int(rows.numbers[row, side])
                    if number not in places:
                        places[number] = len(self.texts)
                        self.texts.append(rows.ids(row, side))
            sides = [np.array([places[int(n)] for n in rows.numbers[chosen, s]]) for s in (0, 1)]
            self.pools[rows.languages[group]] = sides[0], sides[1]

    def accuracy(self, vectors: NDArray[np.float32]) -> dict[str, float]:
        """Accuracy of each language's texts as queries, from vectors of ``texts`` [N, D].

        Returns:
            By ``query-candidates``, such as ``deu_Latn-eng_Latn``: both directions.
        """
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)
        found = {}
        for (first, second), (a, b) in self.pools.items():
            similar = unit[a] @ unit[b].T
            right = np.arange(len(a))
            found[f"{first}-{second}"] = float((similar.argmax(axis=1) == right).mean())
            found[f"{second}-{first}"] = float((similar.argmax(axis=0) == right).mean())
        return found


@dataclass(slots=True)
class _Turn:
    """A step under way: its loss, and what each part has to pass on.

    Attributes:
        step: Which step.
        asked: The batch.
        loss: Its mean loss.
        slopes: dL/dx of each side [P, D].
        own_slopes: dL/dw of the objective's own parameters.
        random: Where the random numbers stood before a part, by the part's first place.
        kept: Vectors of each side with their activations, if there is one part only.
    """

    step: int
    asked: Asked
    loss: float
    slopes: list[Tensor]
    own_slopes: list[Tensor]
    random: dict[int, RandomState]
    kept: list[Tensor] | None


class AlignLearner(StepwiseLearner):
    """An encoder whose languages are drawn together; the loop trains it.

    A batch that is worked on in several parts, or by several processes, has the gradient of the
    whole: see `gradient_cache`.

    Args:
        pooled: The encoder with the pooling it will be used with.
        objectives: What it is taught, each with its rows; those on tokens share one model, whose
            body is the encoder.
        retrieval: What it is measured on; none: it is not.
        settings: How it is trained.
        texts: From token ids to vectors.
        processes: This process among all.
    """

    settings: AlignSettings

    def __init__(
        self,
        pooled: PooledEncoder,
        objectives: list[Objective | GuessObjective],
        retrieval: Retrieval | None,
        *,
        settings: AlignSettings,
        texts: TextEncoder,
        processes: Processes,
    ) -> None:
        trained = {n: p for n, p in pooled.encoder.named_parameters() if p.requires_grad}
        for i, objective in enumerate(objectives):
            trained |= {f"objectives.{i}.{name}": p for name, p in objective.own.items()}
        self.guesser = next((o.guesser for o in objectives if isinstance(o, GuessObjective)), None)
        if self.guesser is not None:
            body = {id(parameter) for parameter in pooled.encoder.parameters()}
            trained |= {
                f"head.{name}": p
                for name, p in self.guesser.model.model.named_parameters()
                if p.requires_grad and id(p) not in body
            }
        sources = [objective.source() for objective in objectives]
        mixture = Mixture(  # every process has a row of every batch, since all gather vectors
            [replace(source, least=max(source.least, processes.world)) for source in sources],
            [(settings.steps, settings.sampling)],
            seed=settings.seed,
            token_budget=settings.token_budget,
            max_rows=settings.max_rows,
        )
        super().__init__(trained, mixture, settings)
        self.pooled = pooled
        self.objectives = objectives
        self.retrieval = retrieval
        self.texts = texts
        self.processes = processes
        self._turn: _Turn | None = None
        self._measured: dict[str, float] = {}

    def state(self) -> dict[str, Tensor]:
        """Queues, and encoders that follow."""
        return {
            f"objectives.{i}.{name}": tensor
            for i, objective in enumerate(self.objectives)
            for name, tensor in objective.state().items()
        }

    def row_ids(self, rows: IntArray) -> list[str]:
        """Names of rows."""
        index, own = self.source_of(rows)
        return [self.objectives[index].name(int(row)) for row in own]

    def kind(self, rows: IntArray) -> str:
        """The objective of a batch."""
        return self.objectives[self.source_of(rows)[0]].settings.kind

    def training_mode(self, on: bool) -> None:
        """Switch dropout on or off."""
        self.pooled.train(on)
        if self.guesser is not None:
            self.guesser.model.train(on)

    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        """What some rows add to a batch's mean loss; its gradient is that of the whole batch."""
        index, own = self.source_of(rows)
        objective = self.objectives[index]
        if isinstance(objective, GuessObjective):
            return objective.loss(own, part, step)
        if self._turn is None or self._turn.step != step:
            self._turn = self._begin(objective, own, step)
        turn = self._turn
        vectors = turn.kept
        if vectors is None:
            with turn.random[int(part[0])].replayed():
                vectors = self._encode(objective.pooled, turn.asked, part)
        slopes = [slope[part] for slope in turn.slopes]
        share = len(part) / len(rows)
        found = pull(vectors, slopes)
        if objective.own:
            found = found + share * pull(list(objective.own.values()), turn.own_slopes)
        return found - found.detach() + turn.loss * share

    def _begin(self, objective: Objective, own: IntArray, step: int) -> _Turn:
        """Encode the whole batch, over all processes, and find the loss and its slopes."""
        objective.begin()
        asked = objective.ask(own, generator(self.settings.seed, "chance", step))
        device = self.texts.arithmetic.device
        asked.facts = {name: tensor.to(device) for name, tensor in asked.facts.items()}
        parts = self.processes.parts(len(own), self.settings.micro_rows)
        random, encoded = {}, []
        for part in parts:
            random[int(part[0])] = RandomState.now(device)
            with torch.set_grad_enabled(len(parts) == 1):
                encoded.append(self._encode(objective.pooled, asked, part))
        vectors = self._whole(encoded, parts, len(own))
        keys: list[Tensor] = []
        if objective.follower is not None:
            with torch.no_grad():
                followed = [self._encode(objective.follower, asked, part) for part in parts]
            keys = self._whole(followed, parts, len(own))
        found = vector_gradients(
            lambda given: objective.loss(given, asked, keys),
            vectors,
            list(objective.own.values()),
        )
        objective.remember(vectors, asked, keys)
        kept = encoded[0] if len(parts) == 1 else None
        return _Turn(step, asked, float(found.loss), found.vectors, found.parameters, random, kept)

    def _encode(self, pooled: PooledEncoder, asked: Asked, part: IntArray) -> list[Tensor]:
        """Vectors of a part, one tensor [p, D] a side; known ones are put in their place.

        The texts of all sides are encoded together, by length.
        """
        device = self.texts.arithmetic.device
        sides = [[texts[place] for place in part.tolist()] for texts in asked.texts]
        unknown = [[i for i, text in enumerate(side) if text is not None] for side in sides]
        made = self.texts.batch(
            pooled, [text for side in sides for text in side if text is not None]
        )
        found = []
        of_sides = torch.split(made, [len(places) for places in unknown])
        for known, places, vectors in zip(asked.known, unknown, of_sides, strict=True):
            if len(places) == len(part):
                found.append(vectors)
                continue
            assert known is not None
            whole = known[torch.from_numpy(part)].to(device)
            at = torch.tensor(places, dtype=torch.int64, device=device)
            found.append(whole.index_copy(0, at, vectors))
        return found

    def _whole(self, encoded: list[list[Tensor]], parts: list[IntArray], rows: int) -> list[Tensor]:
        """Vectors of all parts of all processes, one tensor [P, D] a side, without gradient."""
        places = torch.from_numpy(np.concatenate(parts))
        found = []
        for side in zip(*encoded, strict=True):
            mine = torch.cat(side).detach()
            whole = torch.zeros(rows, mine.shape[1], device=mine.device)
            whole[places.to(mine.device)] = mine
            found.append(self.processes.gathered(whole))
        return found

    def score(self) -> float:
        """Mean accuracy of retrieval over all directions; 0 where nothing is held out."""
        self._measured = {}
        if self.retrieval is None:
            return 0.0
        vectors = self.texts.all(self.pooled, self.retrieval.texts)
        self._measured = {
            name: round(value, 5) for name, value in self.retrieval.accuracy(vectors).items()
        }
        return float(np.mean(list(self._measured.values())))

    def figures(self) -> dict[str, float]:
        """Accuracy at the last validation by direction."""
        return dict(self._measured)


def freeze_below(encoder: nn.Module, layers: int | None) -> None:
    """Ask for gradients in the top layers alone, or in all; never in the input embeddings.

    Args:
        encoder: The bare encoder.
        layers: How many top layers; none: all, and what lies before the first but the embeddings.
    """
    depth = depth_of(name for name, _ in encoder.named_parameters())
    lowest = BEFORE if layers is None or layers >= depth else depth - layers
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_(layer_of(name, depth) >= lowest)
    encoder.get_input_embeddings().requires_grad_(False)  # type: ignore[operator]
