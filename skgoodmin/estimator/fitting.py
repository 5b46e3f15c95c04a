"""Fitting a network: validate, encode, train, set the fitted attributes."""

import copy
import functools
from dataclasses import replace
from numbers import Integral
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from ..objective.evaluation_cache import EvaluationCache, digest
from ..training.early_stopping import HeldOut
from ..training.overflow import OverflowAtStartError
from ..training.start import Budget
from ..training.train import train
from .advice import advice, advice_on_overflow
from .alpha_choice import choose
from .base import Network
from .callbacks import TaskTree, with_callbacks
from .interruption import STOPPED, TOO_LATE, interruptible, is_one_of_many
from .report import Report, telling_of_compilation
from .rows import split
from .second_compiler import second_compiler
from .setup import (
    augment,
    check_parameters,
    constant_origin,
    draw_starts,
    largest_number_of_runs,
    neuron_degree,
    origin_of,
    pose,
    validated,
)
from .short_fits import IN_A_FOLD
from .typing import MatrixLike
from .warned import warn_user

# Parameters that the answers of a fitted network depend on.
OF_ANSWERS = (
    "activation",
    "loss",
    "degree",
    "epsilon",
    "class_weight",
    "special_neuron",
    "neuron_alpha",
    "training",
    "tol_gap",
)


class TrainedNetwork(Network):
    """A network that is trained once, with one alpha."""

    def fit(
        self, X: MatrixLike, y: MatrixLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers; float32 is trained in float32, all else in float64 (large
            tables in float32 until training comes to rest there).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            For a classifier class labels, or a matrix of 0 and 1 for multilabel; for a
            regressor finite numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative. Rows of weight 0 are not trained on.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If a parameter or an array is not valid; an earlier fit stays as it was.
        OSError
            If the rows can not be written to ``cache_dir``, as on a full disk.
        """
        previous = self if self.warm_start and hasattr(self, "coefs_") else None
        checkpoint = getattr(previous, "checkpoint_", None)
        return self._fit(X, y, sample_weight, previous=previous, checkpoint=checkpoint)

    @with_callbacks
    def _fit(self, X, y, sample_weight, **how):
        """As :meth:`_fit_until`, until Ctrl-C."""
        with (
            interruptible() as stop,
            telling_of_compilation(self.verbose),
            second_compiler(self.training, self.activation, self.alpha),
        ):
            return self._fit_until(stop, X, y, sample_weight, **how)

    def _fit_until(
        self,
        stop,
        X,
        y,
        sample_weight,
        previous=None,
        known=None,
        checkpoint=None,
        short=None,
        problem=None,
    ):
        """Train until ``stop``, a :class:`StopRequest`, is made.

        From the parameters of ``previous`` if it is not None.
        ``known`` is what y may hold, by default all that it holds.
        With a ``checkpoint``: as the fit that made it, whose evaluations are known.
        ``short`` is the :class:`~.short_fits.FitInFold`, if this is one.
        A ``problem`` that is given is that of these rows and parameters.
        """
        given = X, y, sample_weight
        # Validation writes n_features_in_ on a copy: a fit that fails leaves no trace.
        shell = copy.copy(self)
        if problem is None:
            self._validate_params()
            check_parameters(self)
            problem = self._pose(shell, X, y, sample_weight, known, previous is None)
        if checkpoint is not None and checkpoint.get("of") != self._digest(problem):
            previous = checkpoint = None  # it is of another fit
        rng, origin, cache = self._set_out(problem, previous, checkpoint)
        objective, held_out = replace(problem.objective, evaluations=cache), None
        saved = None
        if cache is not None:
            state, of = rng.get_state(), self._digest(problem)
            saved = {"rng": state, "origin": origin, "of": of}
        if self.early_stopping:
            data, rest = split(
                objective.data, problem.target, self.validation_fraction, rng
            )
            held_out = HeldOut(
                self._placed(replace(objective, data=rest, evaluations=None)),
                problem.target.merit(rest),
                self.n_iter_no_change,
                self.tol,
            )
            objective = self._placed(replace(objective, data=data))
        goes_on = checkpoint is not None
        choice = choose(self, objective, problem.target, previous, stop, goes_on)
        objective = replace(objective, alpha=choice.alpha)
        report = Report(self.verbose, short.name if short else "")
        report.tell_alpha(choice)
        degree = neuron_degree(self, objective.data, report.prefix)
        starts = draw_starts(self, objective.layout, rng, origin)
        tasks = None
        if hasattr(self, "_skl_callbacks"):
            reconstruct = functools.partial(
                self._predicting,
                shell,
                replace(problem, objective=objective),
                choice,
                saved,
            )
            tasks = TaskTree(self, *given, reconstruct, largest_number_of_runs(self))
        try:
            training = train(
                objective,
                starts,
                rng,
                self._budget(stop, origin, short),
                training=self.training,
                special_neuron=self.special_neuron is not None,
                augmented=augment(self, objective, degree),
                neuron_alpha=self.neuron_alpha,
                n_jobs=self.n_jobs,
                held_out=held_out,
                on_iteration=self._on_iteration(tasks, report),
                tol_gap=self.tol_gap,
                effort=None if short else 0,
            )
        except OverflowAtStartError as error:
            raise ValueError(advice_on_overflow(objective)) from error
        if stop.made and is_one_of_many():
            raise KeyboardInterrupt
        if tasks is not None:
            tasks.close(training.theta)
        self._set_fitted(shell, training, problem, choice, degree)
        is_enough = self._is_cut_short(short)
        why = IN_A_FOLD if is_enough else advice(training.best.exit, objective.data)
        report.close(self.loss_, why)
        if training.was_stopped:
            warn_user(f"{report.prefix}{STOPPED}", ConvergenceWarning)
        elif stop.made:
            warn_user(f"{report.prefix}{TOO_LATE}")
        elif not (is_enough or self.converged_ or training.best.stopped):
            who = "Growing" if self.training == "grow" else "L-BFGS"
            sentence = f"{report.prefix}{who} did not converge: {why}"
            warn_user(sentence, ConvergenceWarning)
        return self

    def _pose(self, shell, X, y, sample_weight, known, reset):
        """The :class:`PosedProblem` of the data as they are given.

        What is learned of X is set on ``shell``, or compared with it.
        """
        X, y, sample_weight = validated(shell, X, y, sample_weight, reset=reset)
        return pose(self, X, y, sample_weight, known, cache_dir=self.cache_dir)

    def _placed(self, objective):
        """The same objective, with its rows where they are best."""
        return objective

    def _set_out(self, problem, previous, checkpoint):
        """(random generator, parameters to set out from or None, evaluations or None).

        Those of a new fit, or of the one that made the checkpoint.
        """
        rng, origin, cache = check_random_state(self.random_state), None, None
        if checkpoint is not None:
            rng = np.random.RandomState()
            rng.set_state(checkpoint["rng"])
            origin, cache = (
                checkpoint["origin"],
                EvaluationCache(checkpoint["evaluations"]),
            )
        elif previous is not None:
            origin = origin_of(previous, problem.objective.layout, problem.target)
        else:
            origin = constant_origin(self, problem.objective, rng)
        if cache is None and self.warm_start and hasattr(self, "_skl_callbacks"):
            cache = EvaluationCache()
        return rng, origin, cache

    def _digest(self, problem):
        """Of what a checkpoint is for: rows, network and seed."""
        seed = self.random_state
        seed = str(int(seed)) if isinstance(seed, Integral) else "drawn"
        return digest([problem.objective.digest, seed.encode()])

    def _budget(self, stop, origin, short):
        """How much work the training may do; in a fold that is less."""
        budget = Budget(
            self.max_iter,
            self.max_fun,
            self.tol,
            self.max_escapes if origin is None else 0,
            every_layer=self.neuron_placement == "per_layer",
            fresh=origin is None,
            stop=stop,
        )
        return short.budget(budget) if short else budget

    def _is_cut_short(self, short):
        """Whether the fit ended after the iterations that are enough in a fold."""
        return short is not None and short.cut_short(self.n_iter_, self.max_iter)

    def _on_iteration(self, tasks, report):
        """What is called after each iteration: prints and callbacks, or None."""
        if not self.verbose:
            return tasks

        def tell(progress):
            report(progress)
            return tasks is not None and tasks(progress)

        return tell

    @staticmethod
    def _predicting(shell, problem, choice, checkpoint, theta):
        """The fitted attributes that prediction needs, and the checkpoint."""
        objective = problem.objective
        theta = theta.astype(objective.data.dtype)
        coefs, intercepts = objective.layout.holding(theta).unpack(theta)
        fitted = problem.target.attributes(objective.loss, choice.slope) | {
            "coefs_": coefs,
            "intercepts_": intercepts,
            "n_layers_": len(coefs) + 1,
            "n_outputs_": objective.n_outputs,
            "alpha_": choice.alpha,
            "alpha_reason_": choice.reason,
            "alpha_scores_": choice.scores,
            "_chosen_for_": choice.loss,
            "_learned_with_": {
                name: dict(value) if isinstance(value, dict) else value
                for name, value in shell.get_params(deep=False).items()
                if name in OF_ANSWERS
            },
            "n_features_in_": objective.layout.sizes[0],
        }
        if hasattr(shell, "feature_names_in_"):
            fitted["feature_names_in_"] = shell.feature_names_in_
        if checkpoint is not None:
            known = dict(objective.evaluations.known)
            fitted["checkpoint_"] = checkpoint | {"evaluations": known}
        return fitted

    def _set_fitted(self, shell, training, problem, choice, degree):
        """Replace all fitted attributes at once."""
        n_features, *_, n_outputs = problem.objective.layout.sizes
        best = training.best
        neuron = training.neuron
        if neuron is None:
            neuron = np.full(n_features, np.nan), np.nan, np.full(n_outputs, np.nan)
        held_out = training.held_out
        certificate = replace(
            training.certificate,
            contradictions=problem.contradictions,
            alpha=choice.sentence,
            unit=problem.target.unit(problem.objective.loss),
        )
        fitted = self._predicting(shell, problem, choice, None, training.theta) | {
            "n_iter_": max(best.n_iter, 1),
            "n_fun_": training.n_fun,
            "loss_": best.value,
            "loss_curve_": best.curve,
            "n_escapes_": training.n_escapes,
            "history_": training.history,
            "init_losses_": training.init_losses,
            "best_init_": training.best_init,
            "converged_": best.converged,
            "grad_norm_": best.grad_norm,
            "neuron_coef_": neuron[0],
            "neuron_intercept_": neuron[1],
            "neuron_amplitude_": neuron[2],
            "neuron_degree_": degree,
            "certificate_": certificate,
            "optimality_gap_": certificate.gap,
            "validation_scores_": held_out and np.array(held_out.scores),
            "best_validation_score_": held_out and held_out.best_score,
        }
        self._replace_fitted(fitted)
