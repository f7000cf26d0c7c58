"""Questions of lesson 06."""

from transfer_lib.questions import Question

q_unknown = Question(
    "06.q_unknown",
    "A review calls a kettle 'unspillable', a word that the vocabulary lacks. What does the model "
    "see?",
    {
        "a": (
            "[UNK], so the word is lost",
            "[UNK] stands for a word that holds a sign which no piece covers. This word has only "
            "known letters, and is put together from pieces.",
        ),
        "b": (
            "Nothing: the word is left out",
            "The tokeniser leaves nothing out. It cuts the word into pieces that it knows.",
        ),
        "c": (
            "A few pieces, such as un + ##sp + ##illa + ##ble",
            "Pieces keep what the word is made of, and the encoder has met them in other words.",
        ),
    },
    right="c",
)

q_baseline = Question(
    "06.q_baseline",
    "TF-IDF reaches 93 % on your own data and fine-tuning 94 %. What do you use?",
    {
        "a": (
            "Probably TF-IDF: one point must pay for a model that is far slower to run",
            "The "
            "baseline tells you the price of each point. Here single words decide, and counting "
            "them is enough.",
        ),
        "b": (
            "Fine-tuning: the better number wins",
            "With a few hundred test texts, one point is "
            "within the spread of the draws, and the large model costs time and memory at every "
            "prediction.",
        ),
        "c": (
            "Neither: a baseline is only for papers",
            "A baseline is a model like any other; when "
            "it is good enough, it is the cheapest that you can run.",
        ),
    },
    right="a",
)

q_trainer = Question(
    "06.q_trainer",
    "You want the lower layers run once and their outputs kept. Your own loop or Trainer?",
    {
        "a": (
            "Trainer, with a switch for it",
            "It has no such switch. You would have to write a dataset, a collator and a model that "
            "take states instead of texts.",
        ),
        "b": (
            "Your own loop",
            "What enters a step is not text but kept states, and your own loop does not mind.",
        ),
        "c": (
            "Either: frozen layers are skipped by themselves",
            "Freezing only stops the gradient. "
            "The forward pass still runs through all layers in each epoch, and with dropout, which "
            "freezing does not switch off.",
        ),
    },
    right="b",
)
