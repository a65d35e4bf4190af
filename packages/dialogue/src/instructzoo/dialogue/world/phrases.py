"""Words of the microworld's speakers that do not depend on what the user wants.

(a|b|)     one of several words, or none
"""

from __future__ import annotations

GREETINGS = ("(hi|hello|hey)( there|), ", "good (morning|evening|day), ", "(hi|hello), (computer|assistant), ")
POLITE_ENDS = ("", "", "", "", ", please", " please", " if you can", ", thanks")
REPLY_STARTS = ("", "", "", "", "well, ", "hmm, ", "oh, ", "let me see, ", "okay, ", "sure, ")

FEELINGS: dict[str, tuple[str, ...]] = {
    "joy": (
        "(i am|we are) so happy (today|now)! ",
        "what a (wonderful|lovely|beautiful) day! ",
        "(great|brilliant) news! ",
        "(i love|i enjoy) talking to you! ",
        "this is (so much|such) fun! ",
    ),
    "anger": (
        "this (takes|lasts) far too long! ",
        "(i am|this makes me) so angry! ",
        "how often must i (say|repeat) it? ",
        "i am (fed up|losing my patience)! ",
        "this is (outrageous|a disgrace)! ",
    ),
    "sadness": (
        "(i am|i feel) so (sad|down) (today|). ",
        "it was a (terrible|hard|gloomy) day. ",
        "i (miss|lost) my (dog|cat). ",
        "(nobody|no one) ever calls me. ",
        "i could cry. ",
    ),
    "fear": (
        "i am (so scared|afraid) of the (storm|dark). ",
        "(i am|this makes me) so nervous. ",
        "i worry (a lot|too much). ",
        "i hope that nothing (bad|terrible) happens. ",
    ),
}
"""By emotion, what a user says before a message. A message without one is neutral."""

INSULTS = (
    "you (stupid|dumb|useless) (machine|box|robot)! ",
    "(shut up|listen), you (fool|idiot|moron)! ",
    "you are (too dumb|too stupid|a useless idiot) for this! ",
)
"""What makes a message toxic."""

AFFIRMS = (
    "(yes|yeah|yep|sure|right|correct|exactly|perfect|great)(, please|, that is right|, do (it|that)|, go ahead|)",
    "(that is|sounds) (right|good|fine|perfect|correct)(, thanks|, go ahead|, do it|)",
    "(yes|okay), (i agree|that works|that suits me|fine by me)",
)
CORRECTIONS = ("no, ", "no, sorry, ", "wait, ", "actually, ", "not quite, ", "no, i meant ", "hold on, ", "oh no, ")
ALTERNATIVES = ("then ", "what about ", "how about ", "in that case ", "okay, then ", "then try ")
REFUSALS = (
    "(no|then|okay, then) (forget it|leave it|never mind)(, i will ask (someone|somebody) else|, thanks|)",
    "(no|that is a pity), (cancel|stop|drop) (it|that|everything)( then| please|)",
    "(i|we) (have|) changed (my|our) (mind|plans)(, (cancel|drop) it|, sorry|)",
)
ANY = (
    "(i do not|we do not) (care|mind)(, really|, you choose|)",
    "(anything|whatever) (is fine|will do|you like)(, really|, surprise (me|us)|)",
    "(it does not|that does not) matter(, you choose|, really|)",
)
"""How a user says that any value will do."""

THANKS = (
    "(thank you|thanks|many thanks)( so much| a lot| very much|)(, that helped| for your help| for everything|)",
    "(great|perfect|wonderful|lovely), (thank you|thanks)( so much| a lot|)(, that helped|)",
)
GOODBYES = (
    "(bye|goodbye|see you|so long)( then| now|)(, have a (good|nice) (day|evening)|, until (tomorrow|next time)|)",
    "(that is|that was) (all|everything)(, thanks|, thank you|)(, bye|, goodbye|)",
)
SMALL_TALK = (
    "(how are you|how do you do|how is it going)( today| this morning| these days|)?",
    "(who are you|what is your name|who made you|how old are you)(, by the way|, if i may ask|)?",
    "(do you|can you) (like|enjoy) (football|chess|dogs|cats|poems|trains|flowers|rain|cakes)?",
    "(are you|do you ever get) (tired|bored|hungry|lonely)( sometimes| at night|)?",
)
OUT_OF_SCOPE = (
    "(what is|calculate|tell me) the (square root|logarithm|sine) of (two|nine|ninety|a hundred|my age)",
    "(translate|spell) (bread|water|freedom|winter|butterfly|mountain) (in|to) (latin|german|french|russian|welsh)",
    "(pay|check) my (phone|water|gas|internet) bill( now| for this month|)",
    "(write|send|read) (an email|a letter|a message) to my (boss|mother|brother|landlord|neighbour)",
    "(who won|who lost|what was) the (match|election|race|final) (yesterday|last year|last week)",
    "(buy|sell) (ten|twenty|fifty) (shares|stocks|coins)( now| for me|)",
    "(how do i|teach me to) (fix|paint|wash|sell) (a bicycle|a fence|my car|a boat)",
)

CHAT_ANSWERS = (
    "i am (fine|well), (thank you|thanks)",
    "i am (just|only) a (program|computer)",
    "that is (a good|a nice) question",
    "(nice|good) of you to ask",
    "(i cannot complain|never better)",
)
APOLOGIES = (
    "(sorry|i am sorry|i am afraid), i cannot (do|help with) that",
    "(that is|this is) (not something|nothing) i can do",
    "i have not learned (that|this)",
    "sorry, that is beyond me",
)
WELCOMES = ("you are welcome", "(my pleasure|with pleasure)", "(any time|not at all)", "glad (to help|i could help)")
FAREWELLS = ("(bye|goodbye)", "have a (good|nice|great) day", "(see you|until next time)", "take care")
CANCELLED = ("(okay|all right|fine), (i have|) cancelled (it|everything)", "(okay|all right), i will leave it")
REQUEST_STARTS = ("", "", "", "okay, ", "sure, ", "all right, ", "gladly, ")
REQUEST_AND = (" and ", ", and ")
CONFIRM_ENDS = (", (right|correct|is that right|is that correct)?", ", (shall i|should i) (go ahead|do that)?")
CONFIRM_STARTS = ("", "so ", "that is ", "you want ", "let me repeat: ")
OFFERS = (
    "(how about|what about|i suggest) the {place}, shall i book it?",
    "the {place} (is free|has a table), (is that okay|shall i take it)?",
    "i (found|have) the {place}, (would you like that|do you want it)?",
)
NO_OFFERS = (
    "(sorry|i am sorry|unfortunately), (nothing|no table) is free at {time}",
    "(sorry|i am afraid), everything is (full|taken) at {time}",
    "at {time} (nothing|no table) is (left|free)",
)
FORECAST_SENTENCES = (
    "(expect|there will be) {forecast} in {city} on {day}",
    "{city} (gets|will have|has) {forecast} on {day}",
    "the forecast for {city} on {day} is {forecast}",
)
