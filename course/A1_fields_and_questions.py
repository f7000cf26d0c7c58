# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 01" engine="none"
# # A1. Fields of application and frequent questions
#
# An appendix to read after [lesson 01](01_what_transfers.ipynb): where transfer learning is used,
# with one primary reference for each field; short answers to what learners ask most, with the
# lesson that shows more; what became of the trends that older articles foresaw; and eight projects to
# decide about.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("A1")
ex = course.exercises

# %% [markdown]
# ## 1. Where it is used
#
# | field | usual source | usual target | what moves | one primary reference |
# |---|---|---|---|---|
# | vision | ImageNet photographs | any pictures with few labels | lower and middle convolutions, often all | Yosinski et al., *How transferable are features in deep neural networks?* ([2014](https://arxiv.org/abs/1411.1792)) |
# | detection | ImageNet photographs | boxes around objects | the backbone; with very many boxes training from nothing catches up (He et al., [2019](https://arxiv.org/abs/1811.08883)) | Girshick et al., *Rich feature hierarchies for accurate object detection* ([2014](https://arxiv.org/abs/1311.2524)) |
# | segmentation | ImageNet photographs | a class for each pixel | convolutions of a classifier, its last layers turned into convolutions | Long, Shelhamer and Darrell, *Fully convolutional networks for semantic segmentation* ([2015](https://arxiv.org/abs/1411.4038)) |
# | medicine | ImageNet photographs | skin, eyes, X-rays | all layers, fine-tuned | Esteva et al., *Dermatologist-level classification of skin cancer* ([2017](https://doi.org/10.1038/nature21056)) |
# | language | books and Wikipedia without labels | classification, question answering | all transformer layers; a new head | Devlin et al., *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding* ([2019](https://arxiv.org/abs/1810.04805)) |
# | names in texts | text without labels | people, places, firms in sentences | states of a language model | Peters et al., *Deep contextualized word representations* ([2018](https://arxiv.org/abs/1802.05365)) |
# | translation | a pair of languages with much text | a pair with little | all weights, part of them kept fixed | Zoph et al., *Transfer learning for low-resource neural machine translation* ([2016](https://arxiv.org/abs/1604.02201)) |
# | finance | general text, then financial news | tone of financial news | all transformer layers; a new head | Araci, *FinBERT* ([2019](https://arxiv.org/abs/1908.10063)) |
# | language models | web pages without labels | tasks written as text | everything, often nothing is trained at all | Howard and Ruder, *Universal language model fine-tuning* ([2018](https://arxiv.org/abs/1801.06146)) |
# | vision and language | pictures with captions | any classes that can be put into words | both encoders; class names become the classifier | Radford et al., *Learning transferable visual models from natural language supervision* ([2021](https://arxiv.org/abs/2103.00020)) |
# | speech | hours of sound without transcripts | recognition with little transcribed speech | encoder of sound and context network | Baevski et al., *wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations* ([2020](https://arxiv.org/abs/2006.11477)) |
# | activity recognition | sensors of some people and places on the body | other people, places, sensors | lower convolutions | Morales and Roggen, *Deep convolutional feature transfer across mobile activity recognition domains, sensor modalities and locations* ([2016](https://doi.org/10.1145/2971763.2971764)) |
# | driving | rendered streets | camera streets without labels | images restyled and features aligned | Hoffman et al., *CyCADA: Cycle-Consistent Adversarial Domain Adaptation* ([2018](https://arxiv.org/abs/1711.03213)) |
# | biology | about 30 million single-cell transcriptomes | rare diseases, few patients | transformer encoder; a new head | Theodoris et al., *Transfer learning enables predictions in network biology* ([2023](https://doi.org/10.1038/s41586-023-06139-9)) |
# | recommenders | domain with dense ratings | domain with sparse ratings | factors of users | Singh and Gordon, *Relational learning via collective matrix factorization* ([2008](https://doi.org/10.1145/1401890.1401969)) |
#
# ## 2. Frequent questions
#
# **Does transfer need enough target data?** No. Its gain is largest when there is little
# ([lesson 03](03_digits.ipynb)). What you do need is some labelled target data to *test* on,
# or you cannot know the sign of the gain.
#
# **How does it differ from ordinary learning?** Ordinary learning starts from nothing and has its task's data only.
# Transfer starts from what another task has taught. "Model transfer learning" is the same thing under
# another name.
#
# **How much target data does it take?** From none to some hundreds, by what is asked. Two sentences make a classifier
# of topics ([lesson 13](13_few_labels.ipynb), section 1); five labels per class do for photographs, on features
# learned from ImageNet ([lesson 00](00_first_transfer.ipynb)). Draw a curve of accuracy over labels, as lesson 13
# does, and see where yours flattens.
#
# **What are its advantages, and what is the price?** Fewer labels, fewer steps, often a better result. The price:
# a network that may be larger than your task needs ([lesson 12](12_small_and_cheap.ipynb)), its licence and its
# biases ([lesson 11](11_which_network.ipynb), section 6), and possible harm (lesson 01, section 6), so that you
# need a control.
#
# **How do I choose the pretrained network?** By its licence and size first, then by a probe on your own labels. Scores without
# training rank networks roughly; none was the best on all targets (lesson 11).
#
# **How do I evaluate it?** On labelled target data that neither training nor any choice has seen, beside the
# same network untrained and beside the strongest simple baseline, over several draws
# ([lesson 05](05_vgg16_finetuning.ipynb)).
#
# **It is poor, or it overfits. What now?** Look before you turn knobs: the first loss, one batch
# learned by heart, the inputs' range, accuracy per class. [Lesson 07](07_bert_own_texts.ipynb) has six such cases, [lesson 14](14_clinic.ipynb) twenty.
#
# **The loss is NaN (not a number). Do L2 and another optimiser help?** They do not touch the usual causes: a
# logarithm of zero, a number too large for half precision (lesson 07, case F), a rate that is far too high, a NaN in
# the data. Find the first step and the first layer in which it stands. Patient 8 of [lesson 14](14_clinic.ipynb) gets
# weight decay, SGD and RMSprop against a logarithm of zero: it stays NaN.
#
# **Is more source data always better?** More *related* source data is. Unrelated data can harm (lesson 01, section
# 6), and how much it counts is λ (lesson 02, section 3).
#
# **Must source and target have the same labels?** No. With other labels, give the network a new
# head and keep the features (lesson 01, section 3). Pooling and CORAL with the source's classifier
# do need the same labels.
#
# **Is fine-tuning the same as transfer learning?** It is one kind of it, in the parameter-based
# family. Weights on examples, aligned features and shared user factors are others.
#
# **How does it differ from multi-task learning?** By the aim and the order. Multi-task learning
# trains all tasks together and wants all of them to be good; transfer wants the target alone, and
# usually comes after the source training is over (lesson 01, section 5).
#
# **Should I freeze layers?** Freeze when the features fit and labels are few. When the domain
# differs, frozen layers hold on to the wrong features: compare with fine-tuning all at a low rate
# (lesson 05, section 3).
#
# **Can I transfer with no target labels at all?** Yes, if the task is the same and the domains are
# near: that is domain adaptation ([lesson 10](10_adapting_networks.ipynb)). But no method can find out by itself that
# the labels have changed their meaning.
#
# **Does matching the two distributions make the classifier right?** Not by itself. It matches
# $P(X)$; the classes may still be swapped. [Lesson 09](09_aligning_domains.ipynb) builds such a
# case.
#
# **Is a prompt to a language model transfer, too?** Yes: the task is put into words, and no weight changes. GPT-2
# showed it at large ([Radford et al., 2019](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)).
# The wording then matters as weights do: lesson 13 measures it on small sentences.
#
# **Which framework?** The ideas are the same in all. Take the one that has the pretrained network you need.
#
# **Can the strategy be found automatically?** Partly. What can be searched is searched: rates, which layers, which
# network, by validation. A score that needs no training saves part of it (lesson 11). What no search
# can do is to say whether your validation data are like what will come.
#
# **Can I see what was transferred?** In part: layers can be probed (lesson 11), words left out (lesson 07), features drawn
# ([lesson 04](04_vgg16_features.ipynb)). That shows what a network uses, and not yet why.
#
# **Does pretraining always give a better final accuracy?** No. With many target labels the gain
# shrinks towards zero (lesson 03), though training is often still faster. Medical images
# are a studied example: Raghu et al., *Transfusion: Understanding Transfer Learning for Medical Imaging*
# ([2019](https://arxiv.org/abs/1902.07208)).

# %% [markdown]
# ## 3. What was foreseen, and what became of it
#
# Articles of the years around 2020 end with trends and challenges. Their list, and what there is today:
#
# | foreseen | what became of it | here |
# |---|---|---|
# | more efficient methods, by adding or removing layers and neurons | a few added weights in each layer, LoRA, became the usual way; removing weights saves little without special hardware | [lesson 12](12_small_and_cheap.ipynb) |
# | cleverer strategies, found automatically | scores rank networks roughly, and none wins everywhere; fine-tuning with validation is still the judge | [lesson 11](11_which_network.ipynb) |
# | more fields: language, translation, medicine, finance | came true; in language nearly everything starts from a pretrained model | section 1 |
# | stronger frameworks | hubs of pretrained networks with one line to load them; licences and origins became the new question | lesson 11, section 6 |
# | knowledge carried across fields | models of text and pictures together; a class can be a sentence | [lesson 13](13_few_labels.ipynb) |
# | knowing which layers to share | can be measured for a task, and differs between targets | lessons [04](04_vgg16_features.ipynb) and 11 |
# | data that do not match | aligning helps where classes keep their shares, and can harm where not | lessons [09](09_aligning_domains.ipynb) and [10](10_adapting_networks.ipynb) |
# | the cost of computing | moved from those who fine-tune to those who pretrain | lesson 12 |
# | explaining, and measuring, what is transferred | still open: probes and controls say how much, not why | lessons 01 and 11 |

# %% [markdown]
# ## 4. Eight projects
#
# | project | what there is |
# |---|---|
# | `leaves` | five photographs for each of eight plants, a laptop, an hour |
# | `archive` | 100 labelled scans of handwriting, a small network that reads print |
# | `desk` | letters to sort by topic this afternoon, topics with names, no label |
# | `camera` | a source with labels, images of a new camera without, the same classes in the same shares |
# | `ward` | the same, in a hospital where other illnesses are common |
# | `factory` | 200,000 labelled images, a small network that has to run cheaply |
# | `shop` | people known from one shop who are new to another, where tastes may differ |
# | `weeks` | images learned by heart, a test at chance in spite of all tuning |
#
# ### Exercise: which way?
#
# The ways: `"features"` (frozen, a small classifier on them), `"fine-tune"`, `"sentences"` (classes in words),
# `"adapt"` (without labels of the target), `"label"` (some of the target, before anything else), `"nothing"` (a network
# from nothing beside a pretrained one), `"map"` (what carries over is learned from those in both), `"stop"`.

# %% exercise="A1.plan"
plan = {}
### BEGIN SOLUTION
plan["leaves"] = "features"
plan["archive"] = "fine-tune"
plan["desk"] = "sentences"
plan["camera"] = "adapt"
plan["ward"] = "label"
plan["factory"] = "nothing"
plan["shop"] = "map"
plan["weeks"] = "stop"
### END SOLUTION

ex.plan.check(plan)

# %%
ex.q_few.ask(...)

# %%
course.progress()
