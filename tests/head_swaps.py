"""Answers to the exercise `03.head_swap`, right and wrong ones."""

import keras
from keras import layers


# Swap the head.
def functional(backbone, classes):
    inputs = keras.Input(backbone.input_shape[1:])
    return keras.Model(inputs, layers.Dense(classes)(backbone(inputs)))


def sequential(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes)])


def on_its_output(backbone, classes):
    return keras.Model(backbone.inputs, layers.Dense(classes, "linear")(backbone.outputs[0]))


def softmax_head(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes, "softmax")])


def relu_head(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes, "relu")])


def cloned(backbone, classes):
    return keras.Sequential([keras.models.clone_model(backbone), layers.Dense(classes)])


def ten_classes(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(10)])


def with_activation(name):
    return lambda backbone, classes: keras.Sequential([backbone, layers.Dense(classes, name)])


class Subclass(keras.Model):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone, self.head = backbone, layers.Dense(classes)

    def call(self, x):
        return self.head(self.backbone(x))


def starts_at_zero(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes, kernel_initializer="zeros")])


def its_layers(backbone, classes):
    return keras.Sequential([*backbone.layers, layers.Dense(classes)])


def copied(backbone, classes):
    clone = keras.models.clone_model(backbone)
    clone.set_weights(backbone.get_weights())
    return keras.Sequential([clone, layers.Dense(classes)])


def added_to_it(backbone, classes):
    backbone.add(layers.Dense(classes))
    return backbone


def popped(backbone, classes):
    backbone.pop()
    return keras.Sequential([backbone, layers.Dense(classes)])


def on_an_inner_layer(backbone, classes):
    return keras.Model(backbone.inputs, layers.Dense(classes)(backbone.layers[-2].output))


def on_the_inputs(backbone, classes):
    inputs = keras.Input(backbone.input_shape[1:])
    return keras.Model(inputs, layers.Dense(classes)(inputs))


def without_bias(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes, use_bias=False)])


def relu_between(backbone, classes):
    return keras.Sequential([backbone, layers.ReLU(), layers.Dense(classes)])


def no_head(backbone, classes):
    inputs = keras.Input(backbone.input_shape[1:])
    return keras.Model(inputs, backbone(inputs))


def two_layers(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(5), layers.Dense(classes)])


def only_the_layer(backbone, classes):
    return layers.Dense(classes)
