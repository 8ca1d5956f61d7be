//! The services that are made up. Their names and their environment are no real service's: what is made up must not mix
//! with what was recorded.

/// A service and what its agent says of it.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) environment: &'static str,
    pub(super) agent: &'static str,
    pub(super) language: &'static str,
    pub(super) framework: &'static str,
    /// `db.type`, and the database's name.
    pub(super) database: (&'static str, &'static str),
}

pub(super) const SERVICES: &[Service] = &[
    Service {
        name: "demo-app",
        environment: "demo",
        agent: "rust",
        language: "rust",
        framework: "actix-web",
        database: ("sqlite", "database.db"),
    },
    Service {
        name: "demo-people",
        environment: "demo",
        agent: "python",
        language: "python",
        framework: "flask",
        database: ("postgresql", "people"),
    },
    Service {
        name: "demo-shop",
        environment: "demo",
        agent: "nodejs",
        language: "javascript",
        framework: "express",
        database: ("postgresql", "shop"),
    },
    Service {
        name: "demo-checkout",
        environment: "demo",
        agent: "java",
        language: "java",
        framework: "Spring Web MVC",
        database: ("postgresql", "orders"),
    },
];

/// A statement and how long it takes.
#[derive(Debug)]
pub(super) struct Statement {
    /// As the agent sends it; `{}` is a literal that changes.
    pub(super) sql: &'static str,
    /// The span's name.
    pub(super) name: &'static str,
    pub(super) mean_us: f64,
    /// Its duration grows over the window by so many times itself.
    pub(super) growth: f64,
    /// `db.type` and name of the database, where it is not the service's own.
    pub(super) database: Option<(&'static str, &'static str)>,
}

const fn statement(name: &'static str, sql: &'static str, mean_us: f64) -> Statement {
    Statement {
        sql,
        name,
        mean_us,
        growth: 0.0,
        database: None,
    }
}

static BEGIN: Statement = statement("BEGIN", "BEGIN IMMEDIATE", 12.0);
static COMMIT: Statement = statement("COMMIT", "COMMIT", 90.0);
static INSERT_PERSON: Statement = statement(
    "INSERT INTO people",
    "INSERT INTO `people` (`name`, `age`, `surname`, `city`) VALUES (?, ?, ?, ?)",
    18.0,
);
static READ_PEOPLE: Statement = Statement {
    growth: 6.0,
    ..statement("SELECT FROM people", "select * from people", 900.0)
};
static GROUP_PEOPLE: Statement = Statement {
    growth: 9.0,
    ..statement(
        "SELECT FROM people",
        "select count(*), city from people group by city",
        700.0,
    )
};
static FIND_PERSON: Statement = statement(
    "SELECT FROM people",
    "SELECT people.id, people.name, people.country FROM people WHERE people.id = {}",
    450.0,
);
static SESSION: Statement = Statement {
    database: Some(("redis", "sessions")),
    ..statement("GET", "GET session:{}", 150.0)
};
static PRODUCTS: Statement = statement(
    "SELECT FROM products",
    "SELECT p.id, p.name, p.price, c.name FROM products p JOIN categories c ON c.id = p.category_id WHERE p.active AND \
        p.stock > $1 ORDER BY p.rank LIMIT 50",
    2200.0,
);
static CART: Statement = statement(
    "SELECT FROM cart_items",
    "SELECT * FROM cart_items WHERE cart_id = $1",
    600.0,
);
static ITEM: Statement = statement(
    "SELECT FROM products",
    "SELECT * FROM products WHERE id = {}",
    350.0,
);
static INSERT_ORDER: Statement = statement(
    "INSERT INTO orders",
    "INSERT INTO orders (customer_id, total, created_at) VALUES ($1, $2, now()) RETURNING id",
    800.0,
);
static INSERT_LINES: Statement = statement(
    "INSERT INTO order_lines",
    "INSERT INTO order_lines (order_id, product_id, quantity) VALUES ($1, $2, $3), ($4, $5, $6), ($7, $8, $9)",
    700.0,
);

/// A step of a request; they come in order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Runs a statement so many times.
    Sql(&'static Statement, u32),
    /// Calls a route of [`ROUTES`].
    Call(usize),
    /// Calls another's host; mean µs.
    External(&'static str, f64),
    /// Waits; mean µs.
    Wait(f64),
}

/// A route of a service.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) service: usize,
    /// The frequency with which a trace begins here, against the others.
    pub(super) weight: u32,
    pub(super) method: &'static str,
    /// As it is routed.
    pub(super) path: &'static str,
    /// Time of its own, mean µs.
    pub(super) own_us: f64,
    /// The share of requests that fail by themselves, 0 to 1.
    pub(super) fails: f64,
    /// Whether a release in the middle made it slower.
    pub(super) slower_release: bool,
    pub(super) steps: &'static [Step],
}

const fn route(
    service: usize,
    weight: u32,
    path: &'static str,
    own_us: f64,
    steps: &'static [Step],
) -> Route {
    Route {
        service,
        weight,
        method: "GET",
        path,
        own_us,
        fails: 0.001,
        slower_release: false,
        steps,
    }
}

/// The places in [`ROUTES`] of those that are called by others.
const PERSON: usize = 7;
const CHARGE: usize = 11;

pub(super) static ROUTES: &[Route] = &[
    route(0, 6, "/", 300.0, &[]),
    route(0, 4, "/delay", 400.0, &[Step::Wait(60_000.0)]),
    route(0, 6, "/upstream", 500.0, &[Step::Call(PERSON)]),
    Route {
        fails: 1.0,
        ..route(0, 1, "/5xx", 300.0, &[])
    },
    route(
        0,
        12,
        "/sql-write",
        500.0,
        &[
            Step::Sql(&BEGIN, 1),
            Step::Sql(&INSERT_PERSON, 5),
            Step::Sql(&COMMIT, 1),
        ],
    ),
    route(0, 5, "/sql-read", 900.0, &[Step::Sql(&READ_PEOPLE, 1)]),
    route(0, 6, "/sql-group", 400.0, &[Step::Sql(&GROUP_PEOPLE, 1)]),
    route(
        1,
        0,
        "/people/<int:id>",
        1800.0,
        &[Step::Sql(&FIND_PERSON, 1)],
    ),
    Route {
        slower_release: true,
        ..route(
            2,
            14,
            "/products",
            3000.0,
            &[Step::Sql(&SESSION, 2), Step::Sql(&PRODUCTS, 1)],
        )
    },
    route(
        2,
        16,
        "/cart",
        2500.0,
        &[
            Step::Sql(&SESSION, 1),
            Step::Sql(&CART, 1),
            Step::Sql(&ITEM, 14),
        ],
    ),
    Route {
        method: "POST",
        ..route(
            2,
            8,
            "/orders",
            4000.0,
            &[
                Step::Sql(&SESSION, 2),
                Step::Sql(&CART, 1),
                Step::Sql(&ITEM, 6),
                Step::Call(CHARGE),
            ],
        )
    },
    Route {
        method: "POST",
        fails: 0.01,
        ..route(
            3,
            0,
            "/charge/{orderId}",
            5000.0,
            &[
                Step::Sql(&INSERT_ORDER, 1),
                Step::Sql(&INSERT_LINES, 2),
                Step::External("payments.example", 80_000.0),
                Step::Sql(&COMMIT, 1),
            ],
        )
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_go_to_the_routes_that_they_name() {
        assert_eq!(ROUTES[PERSON].path, "/people/<int:id>");
        assert_eq!(ROUTES[CHARGE].path, "/charge/{orderId}");
    }

    #[test]
    fn commands_of_redis_go_to_redis_and_statements_to_a_database_of_sql() {
        for route in ROUTES {
            for step in route.steps {
                let Step::Sql(statement, _) = step else {
                    continue;
                };
                let own = SERVICES[route.service].database;
                let (kind, _) = statement.database.unwrap_or(own);
                let is_command = statement.sql.starts_with("GET ");
                assert_eq!(kind == "redis", is_command, "{}", statement.sql);
            }
        }
    }
}
