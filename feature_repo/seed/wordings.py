"""How texts name skills, levels and the way a place works: several wordings each, so that words carry more than ids."""

from feature_repo.seed.catalogue import SKILLS

NAMES = {
    "sql": "SQL",
    "rest-apis": "REST APIs",
    "etl": "ETL",
    "mlops": "MLOps",
    "seo": "SEO",
    "crm": "CRM",
    "python": "Python",
    "java": "Java",
    "docker": "Docker",
    "kubernetes": "Kubernetes",
    "pandas": "pandas",
    "spark": "Spark",
    "figma": "Figma",
    "linux": "Linux",
    "terraform": "Terraform",
    "git": "Git",
}

PHRASES = {
    "git": "keeping code under version control",
    "python": "scripting services in a dynamic language",
    "java": "large back ends on the virtual machine",
    "sql": "querying relational databases",
    "rest-apis": "web interfaces between services",
    "testing": "automated checks that catch regressions",
    "docker": "packaging software in containers",
    "kubernetes": "orchestrating clusters of containers",
    "statistics": "sound inference from samples",
    "pandas": "wrangling data frames",
    "data-modelling": "schemas that stay understandable",
    "etl": "pipelines that load the warehouse",
    "machine-learning": "models that learn from examples",
    "spark": "distributed computation over large tables",
    "mlops": "bringing models into production",
    "forecasting": "predicting time series",
    "wireframing": "sketching screens before they are built",
    "figma": "shared design files",
    "typography": "setting type that reads well",
    "user-research": "interviews with the people who use it",
    "prototyping": "clickable drafts",
    "accessibility": "interfaces that everybody can use",
    "motion": "animation with a purpose",
    "design-systems": "libraries of reusable components",
    "user-stories": "describing needs from the user's side",
    "roadmapping": "planning what comes when",
    "analytics": "reading funnels and cohorts",
    "pricing": "finding what customers will pay",
    "experimentation": "controlled trials of changes",
    "discovery": "finding out which problem is worth solving",
    "go-to-market": "bringing a product to its first buyers",
    "strategy": "choosing where to compete",
    "ticketing": "keeping the queue of requests short",
    "linux": "administering servers from the shell",
    "networking": "routing, addresses and firewalls",
    "monitoring": "dashboards and alerts for live systems",
    "terraform": "infrastructure written as code",
    "security": "protecting systems against intruders",
    "incident-response": "restoring service under pressure",
    "capacity-planning": "sizing systems for next year's load",
    "copywriting": "words that sell",
    "seo": "being found by search engines",
    "campaigns": "running advertisements across channels",
    "social-media": "talking with an audience online",
    "crm": "records of every customer contact",
    "events": "fairs and conferences",
    "branding": "a look and a voice that people remember",
    "market-research": "surveys of customers and rivals",
    "communication": "explaining things clearly",
    "estimation": "saying how long work will take",
    "technical-writing": "manuals that answer the question",
    "facilitation": "meetings that end with a decision",
    "mentoring": "helping others to grow",
    "negotiation": "agreements that last",
    "spreadsheets": "tables and formulas",
    "presentation": "speaking in front of a room",
}

DEPTHS = ("first experience with", "a working knowledge of", "solid practice in", "deep experience in", "mastery of")
"""By level, 1 to 5."""

STYLES = ("fast", "careful", "together", "free")
PLACES = (
    (
        "We ship every day and learn from what breaks",
        "Decisions take minutes here, and plans change weekly",
        "Speed matters more to us than polish",
    ),
    (
        "We test twice before we release anything",
        "Quality and calm planning come before deadlines",
        "We document, review and leave nothing to chance",
    ),
    (
        "We work in pairs and decide as a team",
        "You will share every problem with friendly colleagues",
        "Nobody is left alone with a difficult task",
    ),
    (
        "You choose your own hours and your own methods",
        "We trust you to work on your own, without meetings",
        "Autonomy is what our people value most",
    ),
)
"""By style, what an employer says of itself."""
WISHES = (
    ("thrives on speed and quick releases", "likes rapid change", "happiest when things move fast"),
    ("values careful review and quality", "prefers calm planning", "takes pride in thorough, tested work"),
    ("enjoys working as a team", "looks for friendly colleagues", "solves problems best together"),
    ("needs autonomy", "works best alone and at own hours", "wants freedom in methods"),
)
"""By style, what a talent says of themselves."""

PERKS = (
    "There is a budget for books and conferences.",
    "Coffee is free and the bicycle room is dry.",
    "We pay into a pension.",
    "The office is near the station.",
    "There are thirty days of leave.",
    "We help with moving house.",
)
PURPOSES = ("freight companies", "hospitals", "small shops", "schools", "energy suppliers", "banks", "travellers")
EMPLOYER_STEMS = ("Alder", "Birch", "Cobalt", "Dune", "Ember", "Fjord", "Granite", "Harbour", "Iris", "Juniper")
EMPLOYER_ENDS = ("Works", "Systems", "Partners", "Labs")


def names() -> list[str]:
    """The skills' names, in the order of SKILLS."""
    return [NAMES.get(skill, skill.replace("-", " ")) for skill in SKILLS]


def phrases() -> list[str]:
    """The skills in other words, in the order of SKILLS."""
    return [PHRASES[skill] for skill in SKILLS]
