"""Questions of lesson 04."""

from transfer_lib.questions import Question

q_rocket = Question(
    "04.q_rocket",
    "The network gives the rocket the name of one of its ten classes. What does that tell you?",
    {
        "a": (
            "That rockets look like members of that class",
            "Only in so far as the other nine fit still less. Its probabilities must sum to 1 over "
            "ten classes, whatever the picture shows.",
        ),
        "b": (
            "That the network is badly trained",
            "A perfect CIFAR-10 network has the same ten outputs and must also choose one of them.",
        ),
        "c": (
            "Little: it must answer with one of its ten classes, and there is none for rockets",
            "A softmax compares the classes that there are. It cannot say that none fits, and a "
            "high probability does not mean that one does.",
        ),
    },
    right="c",
)

q_augment = Question(
    "04.q_augment",
    "You store the features of your training images and want random flips and shifts as well. What "
    "works?",
    {
        "a": (
            "Flip the stored feature vectors",
            "A pooled vector has no left and right. What the network makes of a flipped image "
            "can only be found by running it.",
        ),
        "b": (
            "Store the features of a few fixed variants of each image",
            "Then the variants are no longer new in each epoch, but the backbone runs only once "
            "for each. New variants in each epoch need the backbone in each epoch.",
        ),
        "c": (
            "Augment the images; the stored features follow",
            "Stored features are numbers on the disk. They know nothing of what you do to the "
            "images later.",
        ),
    },
    right="b",
)

q_block = Question(
    "04.q_block",
    "Why does block 3 transfer better than block 5 to faces and to photo patches?",
    {
        "a": (
            "Block 5 keeps what tells the source classes apart; these targets need other things",
            "Faces and textures are not among the source's classes. On a target that is close to "
            "the source, the last block can be the best one.",
        ),
        "b": (
            "Block 5 has fewer features",
            "It has twice as many as block 3. Block 4 has as many as block 5 and does better, so "
            "the number is not the reason.",
        ),
        "c": (
            "Block 5 was not trained long enough",
            "All blocks were trained together, equally long. More training fits block 5 even more "
            "closely to the source.",
        ),
    },
    right="a",
)
