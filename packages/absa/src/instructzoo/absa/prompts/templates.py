"""Instruction templates of the five tasks. `prompts.question` chooses one of them by seed and sentence."""

from __future__ import annotations

QUESTIONS: dict[str, tuple[str, ...]] = {
    "ae": (
        "Which aspect terms does the review speak of?",
        "List the things that the reviewer gives an opinion on.",
        "What is being judged in this review? Name every aspect term.",
        "Name all aspect terms of the text.",
        "Pick out the words that name what is praised or criticised.",
        "Which parts of the business or product are judged here?",
    ),
    "aesc": (
        "Which aspect terms does the review speak of, and how is each one judged?",
        "List each aspect term with its sentiment.",
        "What is being judged in this review, and is it great, bad or ok?",
        "Name all aspect terms of the text together with the feeling towards them.",
        "For everything that the reviewer judges, say what it is and how it came off.",
        "Find the aspect terms and the sentiment that goes with each.",
    ),
    "tasd": (
        "Which aspect terms and categories does the review speak of, and how is each one judged?",
        "List each aspect term with its category and its sentiment.",
        "Which sentiments and categories belong to the aspect terms of this review?",
        "What is being judged, in which respect, and is it great, bad or ok?",
        "Name the aspect term, the category and the sentiment of every opinion.",
        "Find the aspect terms; give the sentiment and the category of each.",
    ),
    "aste": (
        "Which aspect terms are described by which opinion words, and how is each one judged?",
        "List each aspect term with the words of opinion on it and the sentiment.",
        "What is being judged, in which words, and is it great, bad or ok?",
        "Name the aspect term, the opinion term and the sentiment of every opinion.",
        "Pair the aspect terms with the reviewer's words on them and with their sentiment.",
        "Find all opinion terms, what they are said of, and whether they praise or blame.",
    ),
    "asqp": (
        "Which opinions does the review hold? Give aspect term, opinion term, category and sentiment of each.",
        "List each aspect term with the words of opinion on it, its category and its sentiment.",
        "What is being judged, in which words and which respect, and is it great, bad or ok?",
        "Find every opinion: the aspect term, the opinion term, the category and the sentiment.",
        "Name all four elements of every opinion in the text.",
        "Take the review apart: what is judged, how it is put, what it is about, and how it came off.",
        "Which aspect terms, opinion terms, categories and sentiments are in this text?",
        "Say for every judgement what it is on, in which words it is made, and what that means.",
    ),
}

NAMED_ONLY = "Leave out opinions on what the text does not name."
"""Follows an instruction for rows of sets that have no implicit aspects (data.options.state_convention)."""
