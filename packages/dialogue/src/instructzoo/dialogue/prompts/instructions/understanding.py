"""Instructions of task types that ask what a dialogue says, how good a response is, or which turn or answer fits."""

from __future__ import annotations

UNDERSTANDING: dict[str, tuple[str, ...]] = {
    "intent_classification": (
        "What does the speaker want? Choose the intent of the message.",
        "Choose the intent that the last message expresses.",
        "Which of the intents fits the message?",
        "Sort the message by its purpose: name its intent.",
    ),
    "intent_present": (
        'Does the speaker of the message want this: "{intent}"?',
        'Say whether "{intent}" is the intent of the message.',
        'Is "{intent}" what the message asks for? Answer yes or no.',
    ),
    "act_classification": (
        "Choose the dialogue act of the response.",
        "What does the response do in the conversation? Choose its act.",
        "Which act does the speaker perform with the response?",
    ),
    "emotion_tagging": (
        "How does the speaker of the response feel? Choose the emotion.",
        "Which emotion do the words of the response show?",
        "Name the feeling behind the response.",
    ),
    "persuasion_strategy": (
        "By which strategy does the response try to convince the other speaker?",
        "Choose the means of persuasion that the response uses.",
        "Which persuasion strategy stands behind the response?",
    ),
    "persuasion_present": (
        "Does the response try to convince by the strategy named here?",
        "Check whether the response uses the given means of persuasion. Answer yes or no.",
        "Is the strategy that is named the one by which the response persuades?",
    ),
    "nli_classification": (
        "How does the response relate to what was said before? Choose the class.",
        "Compare the response with the conversation: which relation holds between the two?",
        "Does the response follow from the conversation, contradict it, or neither? Choose the fitting class.",
    ),
    "dialfact_classification": (
        "Check the response against the evidence: does it hold, is it refuted, or does the evidence not say?",
        "What does the evidence say of the claim in the response? Choose the verdict.",
        "Choose whether the facts given as evidence back the response, speak against it, or leave it open.",
    ),
    "toxic_classification": (
        "Would the response hurt or insult somebody? Answer yes or no.",
        "Is the response toxic?",
        "Decide whether the response is offensive in this conversation.",
    ),
    "advice_present": (
        "Does the response offer help with the problem that was described?",
        "Is there advice in the response? Answer yes or no.",
        "Say whether the response tells the other person what to do about the problem.",
    ),
    "deal_present": (
        "Do the speakers settle on a deal by the end?",
        "Was an agreement made in this negotiation? Answer yes or no.",
        "Say whether both sides agree when the conversation ends.",
    ),
    "relation_classification": (
        "What is {second} to {first}? Choose the relation from the conversation.",
        "How are {first} and {second} related, as far as the conversation tells?",
        "Choose the relation in which {first} stands to {second}.",
    ),
    "relation_present": (
        'Does the conversation show the relation "{relation}" between {first} and {second}?',
        'Is "{relation}" how {first} and {second} are related? Answer yes or no.',
        'Say whether {first} and {second} stand in the relation "{relation}".',
    ),
    "count_response_words": (
        "How many words does the response have?",
        "Count the words of the response and write the number.",
        "Write the length of the response in words.",
    ),
    "slot_filling": (
        "Find the values of these slots in the message.",
        "Which of the slots does the message fill, and with which words?",
        "Copy the words of the message that fill one of the slots.",
        "Mark what the message says for each of the slots.",
    ),
    "slot_present": (
        'Does the message give a value for "{slot}"?',
        'Is the slot "{slot}" filled in the message? Answer yes or no.',
        "Say whether the message tells us the {slot}.",
    ),
    "slot_value_generation": (
        'Which words of the message are the value of "{slot}"? Write "not present" where there are none.',
        'Copy the value of the slot "{slot}" from the message, or write "not present".',
        'What does the message say for "{slot}"? If it says nothing, answer "not present".',
    ),
    "gensf_slot_tagging": (
        'Find "{slot}" in the message and copy it; "not present" if it is missing.',
        'What is the {slot} in this message? Answer with its own words, or with "not present".',
        'Tag the message: which part of it is the "{slot}"? Without one, write "not present".',
    ),
    "belief_state_generation": (
        "What does the user want by now? Give each slot its value.",
        "Track the conversation: list the slots that are settled, with their values.",
        "Write the dialogue state after the last turn.",
        "Which constraints has the user named so far? Give slots and values.",
    ),
    "find_missing_utterance": (
        'A turn may have been taken out. Before which index? If none is missing, answer "all correct".',
        'Find the place where the conversation lacks a turn and give its index, or "all correct".',
        'Where does a turn fail to appear? Choose the index; choose "all correct" for a complete conversation.',
    ),
    "find_incoherent_utterance": (
        'Which turn does not belong in this conversation? Choose "all correct" if each of them fits.',
        'One turn may come from elsewhere: give its index, or "all correct".',
        'Find the turn that makes no sense where it stands. If there is none, answer "all correct".',
    ),
    "find_swapped_utterance": (
        "Two turns have changed places. Give their indices, the smaller one first, as in: 1 and 3.",
        "Which two turns must be exchanged to put the conversation in order? Write both indices, as in: 0 and 2.",
        "Find the pair of turns that stand in each other's place and give their indices, as in: 2 and 5.",
    ),
    "answer_selection": (
        "Choose the answer to the last question of the conversation.",
        "Which of the answers is right, given the conversation?",
        "Pick the option that answers what was asked last.",
    ),
    "eval_binary": (
        "Is this a good response to the conversation?",
        "Does the response go on well from what was said? Answer yes or no.",
        "Judge the response: is it fitting here?",
    ),
    "eval_ranking": (
        "Which of the responses is the best one here?",
        "Choose the response that goes on best from the conversation.",
        "Compare the responses and pick the one that fits most.",
    ),
    "eval_rating": (
        "Rate the response for its {criterion}, from {low} to {high}.",
        "How many points from {low} to {high} does the response deserve for {criterion}?",
        "Give the response a mark between {low} and {high} by this criterion: {criterion}.",
    ),
    "instruction_selection": (
        "Which instruction leads from this dialogue to this output?",
        "An instruction was followed to write the output. Choose the one that was.",
        "Pick the instruction that the output is an answer to.",
    ),
    "instruction_binary": (
        "Can the output be the answer to this instruction?",
        "Do the instruction and the output belong together? Answer yes or no.",
        "Say whether the output follows the instruction that stands here.",
    ),
}
