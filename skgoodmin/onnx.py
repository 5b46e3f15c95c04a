"""Deployment with ONNX: the converter that skl2onnx lacks.

    from skl2onnx import to_onnx
    import skgoodmin.onnx

    skgoodmin.onnx.register()
    model = to_onnx(pipeline, X[:1], options={"zipmap": False})

The graph is the network (MatMul, Add, the activation, layer by layer), the link to
probabilities, and the labels. Activations and losses bring their own nodes along.

Needs the extra ``onnx``: ``pip install skgoodmin[onnx]``.
"""

import numpy as np

from .classifier import GoodMinimaClassifier
from .classifier_cv import GoodMinimaClassifierCV
from .estimator.setup import loss_of
from .estimator.targets import Labels, SeveralClasses, TwoClasses
from .kernels.activations import ACTIVATIONS


def register():
    """Teach skl2onnx to convert the classifiers of this package.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.
    """
    try:
        from skl2onnx import update_registered_converter
        from skl2onnx.common.shape_calculator import (
            calculate_linear_classifier_output_shapes,
        )
    except ImportError as error:
        raise ImportError(
            "skgoodmin.onnx needs skl2onnx; install it with 'pip install "
            "skgoodmin[onnx]'."
        ) from error
    for estimator in (GoodMinimaClassifier, GoodMinimaClassifierCV):
        update_registered_converter(
            estimator,
            f"Skgoodmin{estimator.__name__}",
            calculate_linear_classifier_output_shapes,
            _convert,
            options={
                "zipmap": [True, False, "columns"],
                "nocl": [True, False],
                "output_class_labels": [False, True],
                "raw_scores": [True, False],
            },
        )


class _Graph:
    """Adds nodes to the container of skl2onnx, constants made on the way."""

    def __init__(self, scope, container, dtype):
        self.scope, self.container, self.dtype = scope, container, dtype

    def constant(self, value, dtype=None):
        """Name of an initializer."""
        from onnx.helper import np_dtype_to_tensor_dtype

        value = np.asarray(value, dtype=dtype or self.dtype)
        name = self.scope.get_unique_variable_name("constant")
        kind = np_dtype_to_tensor_dtype(value.dtype)
        self.container.add_initializer(name, kind, value.shape, value.ravel())
        return name

    def __call__(self, op, *inputs, output=None, version=13, **attributes):
        """Name of the output of a node; inputs that are no names are constants."""
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        output = output or self.scope.get_unique_variable_name(op.lower())
        self.container.add_node(
            op,
            names,
            [output],
            name=self.scope.get_unique_operator_name(op),
            op_version=version,
            **attributes,
        )
        return output


def _labels(graph, raw, positive, labels, probabilities):
    """Labels of their own: no class to look up."""
    graph("Identity", positive, output=probabilities)
    above = graph("Greater", raw, 0.0)
    graph("Cast", above, output=labels, to=_int64())


def _two_classes(graph, raw, positive, labels, probabilities):
    """Place of the class among two."""
    both = graph("Sub", 1.0, positive), positive
    graph("Concat", *both, output=probabilities, axis=1)
    above = graph("Cast", graph("Greater", raw, 0.0), to=_int64())
    return graph("Reshape", above, graph.constant([-1], np.int64))


def _several_classes(graph, raw, positive, labels, probabilities):
    """Place of the class among several."""
    total = graph("ReduceSum", positive, graph.constant([1], np.int64), keepdims=1)
    graph("Div", positive, total, output=probabilities)
    return graph("ArgMax", raw, axis=1, keepdims=0)


def _int64():
    from skl2onnx.proto import onnx_proto

    return onnx_proto.TensorProto.INT64


# Target -> function that adds the probabilities and returns the place of the class; of
# labels it adds them too and returns None.
OUTPUTS = {
    TwoClasses: _two_classes,
    SeveralClasses: _several_classes,
    Labels: _labels,
}


def _convert(scope, operator, container):
    """The graph of one fitted classifier."""
    from skl2onnx.common.data_types import DoubleTensorType
    from skl2onnx.proto import onnx_proto

    model = operator.raw_operator
    activation, target = ACTIVATIONS[model.activation], model._target
    source = operator.inputs[0]
    dtype = np.float64 if isinstance(source.type, DoubleTensorType) else np.float32
    graph = _Graph(scope, container, dtype)
    kind = onnx_proto.TensorProto.DOUBLE if dtype == np.float64 else (
        onnx_proto.TensorProto.FLOAT
    )  # fmt: skip
    values = graph("Cast", source.full_name, to=kind)
    for layer, (w, c) in enumerate(
        zip(model.coefs_, model.intercepts_, strict=True), 1
    ):
        values = graph("Add", graph("MatMul", values, w), c)
        if layer < len(model.coefs_):
            values = activation.onnx(graph, values)
    labels, probabilities = (output.full_name for output in operator.outputs)
    positive = loss_of(model, target).onnx(graph, values)
    chosen = OUTPUTS[type(target)](graph, values, positive, labels, probabilities)
    if chosen is None:
        return
    names = model.classes_
    if names.dtype.kind in "iub":
        table = graph.constant(names, np.int64)
    else:
        table = scope.get_unique_variable_name("classes")
        texts = [str(name).encode() for name in names]
        string = onnx_proto.TensorProto.STRING
        container.add_initializer(table, string, [len(texts)], texts)
    graph("Gather", table, chosen, output=labels, axis=0)
