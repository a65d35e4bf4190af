"""Instructions of task types that are answered with free text."""

from __future__ import annotations

GENERATION: dict[str, tuple[str, ...]] = {
    "response_generation": (
        "Continue the conversation with one response.",
        "What could be said next?",
        "Write the next turn of the conversation.",
    ),
    "response_generation_with_n_words": (
        "Write a response of exactly {count} words.",
        "Answer the last turn in {count} words.",
        "Continue the conversation with a turn that is {count} words long.",
    ),
    "beginswith_controlled_generation": (
        "Write a response whose first words are those of the initial phrase.",
        "Continue the conversation, and start with the phrase that is given.",
        "Answer in a turn that opens with the initial phrase.",
    ),
    "endswith_controlled_generation": (
        "Write a response whose last words are those of the final phrase.",
        "Continue the conversation, and close with the phrase that is given.",
        "Answer in a turn that ends on the final phrase.",
    ),
    "keyword_controlled_generation": (
        "Write a response in which all keywords occur.",
        "Use each of the keywords in the next turn.",
        "Continue the conversation with a turn that works in the keywords.",
    ),
    "target_controlled_generation": (
        "Write a turn that leads from the conversation to the target sentence.",
        "What could be said so that the target sentence may follow?",
        "Bridge the gap: continue the conversation towards the target sentence.",
    ),
    "act_generation": (
        "Write a response that performs the given act.",
        "Continue the conversation so that the next turn does what the act says.",
        "Put the dialogue act into words that fit the conversation.",
    ),
    "emotion_generation": (
        "Write a response that shows the given emotion.",
        "Answer as somebody would who feels this way.",
        "Continue the conversation in the mood that is named.",
    ),
    "persuasion_generation": (
        "Write a response that persuades by the given strategy.",
        "Try to convince the other speaker: continue by the strategy that is named.",
        "Which turn would use this means of persuasion here? Write it.",
    ),
    "persona_grounded_generation": (
        "Answer as the person who is described.",
        "Continue the conversation in keeping with the persona.",
        "Write what somebody with this persona would say next.",
    ),
    "knowledge_grounded_generation": (
        "Write a response that draws on the knowledge given.",
        "Continue the conversation with a fact from the text.",
        "Use what the text tells to answer the last turn.",
    ),
    "document_grounded_generation": (
        "Answer from the document.",
        "Look up in the document what is needed, and write the next turn.",
        "Continue the conversation with what the document says.",
    ),
    "graph_based_generation": (
        "Write a response that brings in the facts of the graph.",
        "Put the triples of the graph into the next turn.",
        "Continue the conversation with what the graph connects.",
    ),
    "schema_based_generation": (
        "Follow the schema: write the turn that it provides for.",
        "What does the schema say next? Put it into a response.",
        "Continue the conversation at this step of the schema.",
    ),
    "db_based_generation": (
        "Write the system's response from the action and the details found.",
        "Tell the user what the action says, in a turn that fits.",
        "Turn the chosen action and its details into the next response.",
    ),
    "advice_generation": (
        "Give advice on the problem.",
        "What should this person do? Write a helpful reply.",
        "Write a reply that helps with what was described.",
    ),
    "recovery_generation": (
        "Write a response that brings the conversation back to a friendly tone.",
        "The last turns went wrong: reply so that the talk becomes civil again.",
        "Make amends: continue the conversation without anything hurtful.",
    ),
    "nontoxic_feedback_generation": (
        "Tell the speaker politely what was wrong with the last turn.",
        "Point out that the last turn hurts, in a friendly way.",
        "Write a calm response that objects to what was said.",
    ),
    "edit_generation": (
        "Mend the response so that it reads well and fits the conversation.",
        "The response is damaged: write it as it should be.",
        "Correct the response.",
    ),
    "fill_missing_utterance": (
        "What was said at <mask>? Write that turn.",
        "Fill in the turn that <mask> stands for.",
        "Complete the conversation: write the turn in the place of <mask>.",
    ),
    "answer_generation": (
        "Answer the last question of the conversation.",
        "What is the answer to what was asked last?",
        "Reply to the question with what the text and the conversation tell.",
    ),
    "question_generation": (
        "Write a question that this conversation answers.",
        "What could one be asked to see whether one has followed the conversation?",
        "Ask about something that is said here.",
    ),
    "summarization": (
        "Sum up the conversation in a few sentences.",
        "What was this conversation about?",
        "Write a short summary of the dialogue.",
    ),
    "utterance_generation": (
        "Write another utterance of this intent, and mark its slots with their numbers.",
        "What else could a user say with this intent? Put each slot into brackets with its number.",
        "Continue the examples with one new utterance in the same form.",
    ),
}
