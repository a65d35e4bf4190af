"""Well-known names, typed for this package: what kind of place or organisation a name is, and names for templates.

    kind_of_place("Paris")             # "city"; "" where the lists do not say
    kind_of_organisation("IBM Corp.")  # "company"

A name that could be of two kinds (Georgia, New York, Washington) is left out. The lists decide labels of a sentence
only where they know every name of the sentence that the label could hold for.
"""

from __future__ import annotations

import re


def split_names(text: str) -> tuple[str, ...]:
    """The names of a list that is separated by semicolons."""
    return tuple(name.strip() for name in text.replace("\n", " ").split(";") if name.strip())


CITIES = split_names("""
Paris; London; Berlin; Madrid; Rome; Vienna; Lisbon; Dublin; Brussels; Amsterdam; Copenhagen; Stockholm; Oslo;
Helsinki; Warsaw; Prague; Budapest; Athens; Moscow; Kyiv; Kiev; Minsk; Riga; Tallinn; Vilnius; Bucharest; Sofia;
Belgrade; Zagreb; Sarajevo; Bratislava; Ljubljana; Zurich; Geneva; Basel; Bern; Munich; Hamburg; Cologne; Frankfurt;
Stuttgart; Dresden; Leipzig; Bonn; Milan; Turin; Naples; Venice; Florence; Bologna; Barcelona; Seville; Valencia;
Bilbao; Porto; Lyon; Marseille; Toulouse; Nice; Bordeaux; Strasbourg; Lille; Manchester; Liverpool; Birmingham;
Leeds; Bristol; Sheffield; Edinburgh; Glasgow; Cardiff; Belfast; Oxford; Cambridge; York; Cork; Rotterdam;
The Hague; Utrecht; Antwerp; Ghent; Bruges; Gothenburg; Malmö; Bergen; Aarhus; Krakow; Gdansk; Saint Petersburg;
St. Petersburg; Leningrad; Istanbul; Ankara; Izmir; Tel Aviv; Jerusalem; Haifa; Beirut; Damascus; Amman; Baghdad;
Tehran; Riyadh; Jeddah; Dubai; Abu Dhabi; Doha; Cairo; Alexandria; Casablanca; Rabat; Tunis; Algiers; Tripoli;
Lagos; Abuja; Accra; Nairobi; Kampala; Addis Ababa; Johannesburg; Cape Town; Durban; Pretoria; Harare; Khartoum;
Dakar; Kinshasa; Luanda; Delhi; New Delhi; Mumbai; Bombay; Kolkata; Calcutta; Chennai; Bangalore; Hyderabad;
Karachi; Lahore; Islamabad; Kabul; Dhaka; Colombo; Kathmandu; Beijing; Shanghai; Shenzhen; Guangzhou; Tokyo; Osaka;
Kyoto; Nagoya; Yokohama; Hiroshima; Seoul; Busan; Taipei; Hanoi; Ho Chi Minh City; Bangkok; Manila; Jakarta;
Kuala Lumpur; Phnom Penh; Rangoon; Sydney; Melbourne; Brisbane; Perth; Adelaide; Canberra; Auckland; Wellington;
Christchurch; Toronto; Montreal; Vancouver; Ottawa; Calgary; Edmonton; New York City; Los Angeles; Chicago; Houston;
Philadelphia; Phoenix; San Antonio; San Diego; Dallas; San Jose; Austin; San Francisco; Seattle; Denver; Boston;
Detroit; Nashville; Memphis; Portland; Las Vegas; Baltimore; Milwaukee; Atlanta; Miami; Oakland; Minneapolis;
Cleveland; New Orleans; Tampa; Pittsburgh; Cincinnati; St. Louis; Orlando; Sacramento; Kansas City; Salt Lake City;
Honolulu; Washington D.C.; Washington , D.C.; Havana; Mexico City; Guadalajara; Bogota; Lima; Quito; Caracas;
Santiago; Buenos Aires; Montevideo; Brasilia; Sao Paulo; São Paulo; Rio de Janeiro; Panama City; Salvador; Tulsa;
Omaha; Tucson; Boulder; Palo Alto; Mountain View; Cupertino; Princeton; Berkeley; Brooklyn; Sevastopol
""")

COUNTRIES = split_names("""
France; Germany; Spain; Italy; Portugal; Ireland; Belgium; the Netherlands; Denmark; Sweden; Norway; Finland;
Iceland; Poland; the Czech Republic; Slovakia; Hungary; Austria; Switzerland; Greece; Turkey; Russia; Ukraine;
Belarus; Latvia; Lithuania; Estonia; Romania; Bulgaria; Serbia; Croatia; Slovenia; Albania; Macedonia; Montenegro;
Moldova; Cyprus; Malta; the United Kingdom; the UK; the U.K.; Britain; Great Britain; the United States;
the United States of America; the USA; the U.S.; the US; the U.S.A.; America; Canada; Mexico; Cuba; Jamaica; Haiti;
Guatemala; Honduras; Nicaragua; Costa Rica; Panama; Colombia; Venezuela; Ecuador; Peru; Bolivia; Chile; Argentina;
Uruguay; Paraguay; Brazil; Morocco; Algeria; Tunisia; Libya; Egypt; Sudan; Ethiopia; Kenya; Uganda; Tanzania;
Rwanda; Somalia; Nigeria; Ghana; Senegal; Cameroon; Angola; Mozambique; Zambia; Zimbabwe; Botswana; Namibia;
South Africa; Madagascar; Israel; Lebanon; Syria; Iraq; Iran; Kuwait; Qatar; Saudi Arabia; Yemen; Oman; Afghanistan;
Pakistan; India; Nepal; Bangladesh; Sri Lanka; Myanmar; Burma; Thailand; Vietnam; Cambodia; Laos; Malaysia;
Singapore; Indonesia; the Philippines; China; Taiwan; Japan; South Korea; North Korea; Mongolia; Kazakhstan;
Uzbekistan; Armenia; Azerbaijan; Australia; New Zealand; Fiji; the Soviet Union; the USSR; Yugoslavia;
Czechoslovakia; West Germany; East Germany; Bosnia; Bosnia and Herzegovina; Kosovo
""")

OTHER_PLACES = split_names("""
Europe; Asia; Africa; North America; South America; Latin America; Middle East; Scandinavia; the Balkans; Siberia;
California; Texas; Florida; Ohio; Alaska; Hawaii; Nevada; Arizona; Colorado; Oregon; Utah; Iowa; Kansas; Missouri;
Minnesota; Wisconsin; Michigan; Illinois; Indiana; Kentucky; Tennessee; Alabama; Mississippi; Louisiana; Arkansas;
Oklahoma; Virginia; West Virginia; North Carolina; South Carolina; Maryland; Delaware; New Jersey; Pennsylvania;
Connecticut; Massachusetts; Vermont; New Hampshire; Maine; Rhode Island; Nebraska; Montana; Wyoming; Idaho;
New Mexico; North Dakota; South Dakota; Calif.; Ga.; Tenn.; Fla.; Ill.; Wash.; Va.; N.Y.; N.J.; N.C.; N.M.; Mass.;
Ontario; Quebec; British Columbia; Alberta; Nova Scotia; England; Scotland; Wales; Northern Ireland; Bavaria;
Saxony; Catalonia; Andalusia; Tuscany; Sicily; Sardinia; Brittany; Normandy; Provence; Flanders; Crimea; Punjab;
Kerala; Gujarat; Kashmir; Tibet; Hong Kong; Queensland; Tasmania; New South Wales; Southern California; Manhattan;
Lake Geneva; the Alps; the Himalayas; Mount Everest; Mount Fuji; the Danube; the Rhine; the Nile; the Amazon;
the Thames; Lake Michigan; the Black Sea; the Baltic Sea; the Sahara; the Grand Canyon; Central Park; Times Square;
Yellowstone; Dartmoor; Trafalgar Square; the Lake District; Cornwall; Yorkshire; the Bronx; Queens; Silicon Valley;
Hollywood; Wall Street
""")

COMPANIES = split_names("""
Apple; Google; Microsoft; Amazon; Facebook; Meta; Netflix; Tesla; Intel; IBM; Oracle; Adobe; Nvidia; Cisco; Dell;
Hewlett-Packard; Twitter; Uber; Airbnb; Spotify; PayPal; eBay; Yahoo; Zoom; Dropbox; Salesforce; Samsung; Sony;
Nintendo; Panasonic; Toshiba; Hitachi; Canon; Nikon; Toyota; Honda; Nissan; Mazda; Hyundai; Kia; LG; Huawei; Xiaomi;
Lenovo; Alibaba; Tencent; Baidu; Siemens; Bosch; BMW; Volkswagen; Porsche; Audi; Daimler; SAP; Adidas; Puma; Bayer;
BASF; Lufthansa; Deutsche Bank; Allianz; Renault; Peugeot; Airbus; Michelin; Danone; Carrefour; Ikea; Volvo;
Ericsson; Nokia; Lego; Maersk; Carlsberg; Heineken; Philips; Unilever; Shell; BP; HSBC; Barclays; Vodafone; Tesco;
Sainsbury's; Burberry; Rolls-Royce; British Airways; Ryanair; easyJet; Nestlé; Novartis; Roche; Swatch; Fiat;
Ferrari; Gucci; Prada; Zara; Santander; Iberia; Boeing; Lockheed Martin; General Electric; GE; General Motors; Ford;
Chrysler; Walmart; Target; Costco; Starbucks; McDonald's; Burger King; Coca-Cola; Pepsi; Pfizer; Moderna; Merck;
Goldman Sachs; JPMorgan Chase; Citigroup; Visa; Mastercard; American Express; FedEx; UPS; Nike; Disney;
Warner Bros.; Universal Pictures; CNN; NBC; CBS; Reuters; AT&T; Verizon; Comcast; ExxonMobil; Chevron;
Delta Air Lines; United Airlines; Marriott; Hilton; Gazprom; Petrobras; Tata Motors; Infosys; Reliance; Qantas;
Popeyes; K mart; Kmart; Motorola; Xerox; Kodak; DeepMind; OpenAI; SpaceX; Marvel
""")

OTHER_ORGANISATIONS = split_names("""
United Nations; UN; U.N.; European Union; EU; NATO; UNESCO; UNICEF; World Health Organization; World Bank;
International Monetary Fund; Red Cross; Greenpeace; Amnesty International; Oxfam; FIFA; NASA; FBI; CIA; IRS; FAA;
OSHA; NRC; USDA; Congress; Senate; Supreme Court; Parliament; House of Commons; White House; Pentagon; Coast Guard;
Navy; Army; Air Force; State Department; Justice Department; Foreign Ministry; Warren Commission;
European Commission; Khmer Rouge; European Central Bank; Bank of England; Federal Reserve; Labour Party;
Conservative Party; Republican Party; Democratic Party; Green Party; Royal Society; National Trust; Scotland Yard;
Interpol; Hamas; Hezbollah; Taliban; Manchester United; Liverpool FC; Arsenal; Chelsea; Real Madrid; Barcelona FC;
Bayern Munich; Juventus; Chicago Bulls; Los Angeles Lakers; New York Yankees; Boston Red Sox; Dallas Cowboys;
Vatican; British Museum; Doctors Without Borders; Save the Children; Scouts; Rotary Club; IEEE;
International Olympic Committee; World Trade Organization; Royal Navy; NHS
""")

UNIVERSITIES = split_names("""
Harvard University; Stanford University; Yale University; Princeton University; Columbia University;
Oxford University; University of Cambridge; University of Chicago; University of Toronto; Cornell University; MIT;
ETH Zurich; Sorbonne; University of Tokyo; Peking University; University of Sydney; Trinity College Dublin;
University of Edinburgh; Imperial College London; University of Vienna; Humboldt University; McGill University;
New York University; Caltech
""")

PRODUCTS = split_names("""
iPhone 15; iPhone; iPad; MacBook Pro; Apple Watch; Galaxy S24; PlayStation 5; Xbox; Nintendo Switch; Kindle;
Windows 11; Model 3; Model Y; Prius; Golf; Fiat 500; Civic; Pixel 8; ThinkPad; AirPods; Photoshop; Excel; Gmail;
Chrome; Firefox; Alexa; Fire TV; Walkman; Big Mac; Nutella; Oreo; Aspirin; Boeing 747; Airbus A380; Roomba; GoPro;
Echo Dot; Surface Pro
""")

WORKS = split_names("""
Hamlet; Macbeth; Titanic; The Godfather; Casablanca; Star Wars; Frozen; Dune; Emma; Ulysses; Middlemarch; Moby-Dick;
War and Peace; Pride and Prejudice; The Great Gatsby; Jane Eyre; Game of Thrones; Breaking Bad; Friends; Abbey Road;
Thriller; Imagine; Bohemian Rhapsody; The Lord of the Rings; Don Quixote; The Hobbit; Carmen; Swan Lake; Top Gun;
Alien
""")

_KINDS_OF_PLACES = {
    name.casefold().removeprefix("the "): kind
    for kind, names in (("city", CITIES), ("country", COUNTRIES), ("other", OTHER_PLACES))
    for name in names
}
_KINDS_OF_ORGANISATIONS = {
    name.casefold().removeprefix("the "): kind
    for kind, names in (("company", COMPANIES), ("other", (*OTHER_ORGANISATIONS, *UNIVERSITIES)))
    for name in names
}
_COMPANY_ENDING = re.compile(
    r"\b(Inc|Corp|Corporation|Ltd|Co|Company|Enterprises|Industries|Motors|Airlines|Airways|Records|Pictures)\s?\.?$"
)
_NO_COMPANY = re.compile(
    r"\b(University|College|Institute|School|Party|Ministry|Department|Committee|Council|Commission|Court|Parliament|"
    r"Senate|Congress|Government|government|Army|Navy|Police|Association|Society|Federation|Union|Agency|Academy|"
    r"Assembly|Foundation|Front|Movement|Alliance|Bureau)\b"
)


def kind_of_place(name: str) -> str:
    """What a place is: "city", "country", "other" for regions, waters and the like, "" where the lists do not say."""
    return _KINDS_OF_PLACES.get(name.casefold().removeprefix("the "), "")


def kind_of_organisation(name: str) -> str:
    """What an organisation is: "company", "other", or "" where neither the lists nor the name itself say."""
    if kind := _KINDS_OF_ORGANISATIONS.get(name.casefold().removeprefix("the ")):
        return kind
    if _NO_COMPANY.search(name):
        return "other"
    return "company" if _COMPANY_ENDING.search(name) else ""
