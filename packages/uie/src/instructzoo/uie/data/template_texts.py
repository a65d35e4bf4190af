"""The templates of the source `templates`, written for this package; sentence_templates.py describes them."""

from __future__ import annotations

TEMPLATES: tuple[str, ...] = tuple(
    line
    for line in """
{person} works for {company} in {city}. | works for: person, company
{person} has worked at {company} since {year}. | works for: person, company
{person} joined {company} as head of marketing. | works for: person, company
After ten years at {company}, {person} moved to {company2}.
{company} has named {person} as its new finance director. | works for: person, company
{person}, a spokeswoman for {company}, declined to comment. | works for: person, company
{person}, who runs the {city} office of {company}, will retire on {date}. | works for: person, company
{company} chairman {person} spoke to reporters in {city}. | works for: person, company
{last}, an engineer at {company}, lives in {city}. | works for: last, company; lives in: last, city
{person} lives in {city}. | lives in: person, city
{person} and {person2} live in {city}. | lives in: person, city; lives in: person2, city
{person} was born in {city} in {year}. | lives in: person, city
My cousin {first} lives in {city} and works at {company}. | lives in: first, city; works for: first, company
{first} moved from {city} to {city2} for a job.
{first} and {first2} got married in {city} on {date}. | is married to: first, first2
{person} is married to {person2}. | is married to: person, person2
{person} married the actor {person2} in {year}. | is married to: person, person2
{company} is based in {city}. | is based in: company, city
{company}, based in {city}, makes batteries. | is based in: company, city
The headquarters of {company} are in {city}. | is based in: company, city
{city} is a large city in {country}. | located in: city, country
{city} lies in the north of {country}. | located in: city, country
We spent a week in {city}, {country}. | located in: city, country
{person} founded {company} in {year}. | founder of: person, company
{company} was founded by {person} and {person2}. | founder of: person, company; founder of: person2, company
{company} bought {company2} for two billion dollars. | acquires: company, company2
{company} is taking over {company2}, {person} said on {date}. | acquires: company, company2
{company} was acquired by {company2} in {year}. | acquires: company2, company
{person} visited {city} twice. | visits: person, city
{person} flew to {country} on {date}. | visits: person, country
On {date}, {person} will travel to {city}. | visits: person, city
The meeting was short and nobody took notes. |
It rained all day, so we stayed at home. |
Our train was late again and the coffee was cold. |
{first} lost her keys. |
{company} raised its prices again. |
Prices rose by three percent, economists said. |
Please bring your laptop and a pen. |
The chief executive said that the report would be ready soon. |
{person} killed {person2} with a knife. | kills: person, person2
{person2} was shot dead by {person} in {city}. | kills: person, person2
{person} teaches history at {university}. | works for: person, university
{person} of {university} won the prize. | works for: person, university
{person} lives near {university} in {city}. | lives in: person, city
Her boss {person} came from {country} to see {company}.
{company} opened a new store in {city} on {date}.
{company} is closing three plants in {country}.
{company} and {company2} announced a deal on {date}.
{company} shares fell after {person} left the firm.
Shares of {company} rose while {company2} lost ground.
{company} will build a factory near {city}, {location}.
The {company} app crashed twice on my {product}.
I bought a {product} from {company} and it broke after two days.
Does anyone know if the {product} works in {country}?
My new {product} arrived on {date}.
{company} presented the {product} at a show in {city}.
{first} gave me her old {product}.
Is the {product} better than the {product2}?
{company} recalled the {product} in {country} because of a fault.
The {product} by {company} costs less in {country}.
{person} met {person2} in {city}.
{person} met {person2}, the prime minister of {country}, on {date}.
President {last} arrived in {city} on {date}.
Chancellor {person} visits {country} next week.
{country} and {country2} signed a treaty in {city}.
{country} beat {country2} in the final in {city}.
The president of {country} thanked {person}.
The government of {country} rejected the plan.
Talks between {country} and {country2} failed on {date}.
{organisation} sent observers to {country}.
{organisation} published a report on {country} on {date}.
{person} was elected head of {organisation}.
{person} criticised {organisation} and {organisation2}.
{person}, who works for {organisation}, lives in {city}. | works for: person, organisation; lives in: person, city
A spokesman for {organisation} said that {person} was safe.
{organisation} beat {organisation2} on {date}.
Volunteers of {organisation} handed out food in {city}.
{person} told {organisation} that the figures were wrong.
{organisation} and {company} work together in {country}.
{first} studied physics at {university} and then joined {company}.
{university} and {university2} share a laboratory.
Researchers at {university} tested the {product}.
{person} left {university} to found {company}.
Professor {last} gave a talk at {university} on {date}.
Dr. {last} will see you on {date}.
Mr. {last} and Mrs. {last2} are away until {date}.
Dear {first}, thank you for your letter of {date}.
Hi {first}, can you send the file to {first2}?
Thanks {first}! See you in {city} on {date}.
{first} said {first2} was ill.
{first} and {first2} went hiking in {location}.
We drove from {city} to {city2} through {location}.
They sailed along {location} and stopped in {city}.
The storm hit {location} on {date}.
{location} is known for its cheese.
The fire spread across {location}, {person} said.
Flights from {city} to {city2} were cancelled on {date}.
My flight with {company} from {city} was delayed.
The hotel in {city} was lovely, but {country} is expensive.
Has anyone been to {city}? We fly on {date}.
Best pizza in {city}!
Greetings from {city}, it is hot here.
We love {country}.
{city} and {city2} are twin cities.
The road between {city} and {city2} is closed.
{city}, {city2} and {city3} applied for the games.
The office in {city} moved to {city2} in {year}.
{person} grew up in {location} and now lives in {city}. | lives in: person, city; lives in: person, location
{person} sang in {city} on {date}.
{person} won the race in {city} ahead of {person2}.
{person} scored twice for {organisation}.
{person} wrote {creative work} in {year}.
{person} starred in {creative work}.
{first} is reading {creative work} for the second time.
I saw {creative work} in {city} with {first}.
{person} directed {creative work}, which was filmed in {country}.
{creative work} is on television on {date}.
{person} played {creative work} in {city} for {organisation}.
{person} said {creative work} was the best film of {year}.
{company} will show {creative work} in {country}.
{person} died in {city} on {date}.
{person} was arrested in {country} in {year}.
{person}, {person2} and {person3} signed the letter.
The lawyer {person} sued {company} in {city}.
A judge in {city} fined {company}.
Detectives in {city} are looking for {person}.
According to {person}, {company} paid {company2}.
"We are proud of this," said {person} of {company}.
"{city} has changed a lot," {person} said.
{person} thinks that {organisation} should leave {country}.
{company} hired {person} from {company2}.
{company} sells {product} and {product2}.
{company}'s {product} beat the {product2} in our test.
{person}'s flat in {city} was sold in {year}.
{person}'s brother {first} works at {company}.
{country}'s minister {person} resigned on {date}.
{city}'s mayor, {person}, opened the bridge.
{company}'s boss {person} came to {city} on {date}.
{company} chief {last} praised {country}.
Founded in {year}, {company} has offices in {city} and {city2}.
Born in {country}, {person} became a star in {city}.
In {year}, {person} left {country} for {country2}.
By {date} {company} must answer {organisation}.
From {date} the {city} office of {company} is closed.
On {date} we meet {first} from {company} in {city}.
In {city}, {person} spoke about {creative work}.
At {university}, {person} met {person2}.
Under {last}, {company} grew quickly in {country}.
Who is {person}?
Where is {city}?
What does {company} do in {country}?
When will {person} return to {city}?
Why did {company} sell {company2}?
Call {first} before {date}.
Ask {person} at {company} about the invoice.
The invoice of {date} was paid by {company}.
The package from {company} was sent to {person}, {city}.
Lunch with {first} on {date}?
{first} hates airports but loves {city}.
Our customer {company} wants the offer by {date}.
Both {company} and {organisation} denied the claim.
The new boss is nice.
Nobody answered the phone.
Our team won, and everyone was happy.
The company will open a new office in the city.
The minister met the president.
The food was good but the service was slow.
He bought a car, and she sold her bike.
The university closed its library for the summer.
The band played until midnight.
""".splitlines()
    if line.strip()
)
