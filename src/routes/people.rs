//! `/people`: the stand-in for the article's upstream provider, a random person who lives in a country.

use actix_web::{HttpResponse, Responder};
use serde_json::json;

use crate::people::{NewPerson, pick};

/// Each of `/upstream`'s three answers comes up in a third of the requests.
const COUNTRIES: &[&str] = &[
    "italy",
    "italy",
    "canada",
    "canada",
    "south africa",
    "ireland",
];

pub(super) async fn people() -> impl Responder {
    let mut rng = rand::rng();
    let country = pick(&mut rng, COUNTRIES);
    let NewPerson {
        name,
        age,
        surname,
        city,
    } = NewPerson::random(&mut rng);
    HttpResponse::Ok().json(
        json!({ "name": name, "age": age, "surname": surname, "city": city, "country": country }),
    )
}
