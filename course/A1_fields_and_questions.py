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
# with one primary reference for each field, and short answers to what learners ask most, with the
# lesson that shows more.

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
# | language | books and Wikipedia without labels | classification, question answering | all transformer layers; a new head | Devlin et al., *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding* ([2019](https://arxiv.org/abs/1810.04805)) |
# | speech | hours of sound without transcripts | recognition with little transcribed speech | encoder of sound and context network | Baevski et al., *wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations* ([2020](https://arxiv.org/abs/2006.11477)) |
# | activity recognition | sensors of some people and places on the body | other people, places, sensors | lower convolutions | Morales and Roggen, *Deep convolutional feature transfer across mobile activity recognition domains, sensor modalities and locations* ([2016](https://doi.org/10.1145/2971763.2971764)) |
# | driving | rendered streets | camera streets without labels | images restyled and features aligned | Hoffman et al., *CyCADA: Cycle-Consistent Adversarial Domain Adaptation* ([2018](https://arxiv.org/abs/1711.03213)) |
# | biology | about 30 million single-cell transcriptomes | rare diseases, few patients | transformer encoder; a new head | Theodoris et al., *Transfer learning enables predictions in network biology* ([2023](https://doi.org/10.1038/s41586-023-06139-9)) |
# | recommenders | domain with dense ratings | domain with sparse ratings | factors of users | Singh and Gordon, *Relational learning via collective matrix factorization* ([2008](https://doi.org/10.1145/1401890.1401969)) |
#
# ## 2. Frequent questions
#
# **Does transfer need enough target data?** No. Its gain is largest when there is little ([lesson
# 08](08_four_ways.ipynb), section 3). What you do need is some labelled target data to *test* on,
# or you cannot know the sign of the gain.
#
# **Is more source data always better?** More *related* source data is. Unrelated data adds harm
# with its weight (lesson 08, section 4; lesson 01, section 5).
#
# **Must source and target have the same labels?** No. With other labels, give the network a new
# head and keep the features (lesson 01, section 2). Pooling and CORAL with the source's classifier
# do need the same labels.
#
# **Is fine-tuning the same as transfer learning?** It is one kind of it, in the parameter-based
# family. Weights on examples, aligned features and shared user factors are others.
#
# **How does it differ from multi-task learning?** By the aim and the order. Multi-task learning
# trains all tasks together and wants all of them to be good; transfer wants the target alone, and
# usually comes after the source training is over (lesson 01, section 4).
#
# **Should I freeze layers?** Freeze when the features fit and labels are few. When the domain
# differs, frozen layers hold on to the wrong features: compare with fine-tuning all at a low rate
# (lesson 08, section 5).
#
# **Can I transfer with no target labels at all?** Yes, if the task is the same and the domains are
# near: that is domain adaptation (lesson 08, section 2). But no method can find out by itself that
# the labels have changed their meaning.
#
# **Does matching the two distributions make the classifier right?** Not by itself. It matches
# $P(X)$; the classes may still be swapped. [Lesson 09](09_aligning_domains.ipynb) builds such a
# case.
#
# **Does pretraining always give a better final accuracy?** No. With many target labels the gain
# shrinks towards zero (lesson 08, section 3), though training is often still faster. Medical images
# are a studied example: Raghu et al., *Transfusion: Understanding Transfer Learning for Medical Imaging*
# ([2019](https://arxiv.org/abs/1902.07208)).

# %%
ex.q_few.ask(...)

# %%
course.progress()
