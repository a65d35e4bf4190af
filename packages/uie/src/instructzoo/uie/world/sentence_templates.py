"""The text around the facts of the microworld: words before names, openings, closings, connectives; empty sentences."""

from __future__ import annotations

# words before a name of the type; those that begin with "the " are not used after "the "
TITLES: dict[str, tuple[str, ...]] = {
    "person": ("lawyer ", "singer ", "chef ", "veteran ", "newcomer "),
    "company": ("carmaker ", "retailer ", "lender ", "the company ", "the firm "),
    "product": ("phone ", "laptop ", "car ", "camera "),
    "city": ("the town of ", "the port of ", "nearby "),
    "country": ("the country of ", "neighbouring ", "the nation of "),
    "team": ("leaders ", "champions ", "the club ", "rivals "),
    "drug": ("the drug ", "the medicine ", "the painkiller "),
    "disease": ("the disease ", "the illness ", "the disorder "),
    "university": ("the renowned ", "the respected "),
}

OPENINGS = (
    "",
    "",
    "",
    "",
    "on Monday, ",
    "on Friday, ",
    "last week, ",
    "officials said ",
    "reports say that ",
    "yesterday, ",
)
CLOSINGS = (
    "",
    "",
    "",
    "",
    " on Tuesday",
    " last month",
    " this spring",
    ", sources said",
    ", the paper wrote",
    " again",
)
CONNECTIVES = (", and ", ", while ", "; ", ", but ")
SENTENCES_WITHOUT_FACTS = (
    "(heavy|light) (rain|snow|wind) is expected (today|tonight|tomorrow)",
    "(prices|rents|wages) (rose|fell) (slightly|sharply) (this year|last month)",
    "(nobody|no one) was (hurt|injured) in the (fire|storm|flood)",
    "the (committee|council|court) will (decide|vote) (soon|next week)",
    "(traffic|trains|flights) (stopped|resumed) after the (storm|strike)",
    "the (weather|market|road) (improved|got worse) (overnight|at noon)",
)
