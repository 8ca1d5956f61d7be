//! The events that a question is about, as a request chooses them: services, environments, and the query.

use kql::Expr;

use super::{Arguments, LONGEST, wrong};
use crate::analytics::Scope;
use crate::analytics::chosen::{Choice, Chosen};
use crate::analytics::filter::{self, List};
use crate::answers::parameter::shared::{ENV, NOT_ENV, NOT_SERVICE, Q, SERVICE};
use crate::answers::parameter::{Described, Parameter, Place};
use crate::answers::problem::Problem;

/// Services, and environments, that can be chosen or left out.
const MOST_CHOSEN: usize = 100;

impl Arguments {
    /// The values of a parameter that may be repeated.
    pub(super) fn values(&self, parameter: &Parameter) -> impl Iterator<Item = &str> {
        let name = parameter.name;
        let own = self.pairs.iter().filter(move |(known, _)| known == name);
        own.map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The choice of services or of environments; nothing for another parameter.
    pub(super) fn choice(&self, parameter: &Parameter) -> Result<Option<Choice>, Problem> {
        let without = match parameter.name {
            name if name == SERVICE.name => NOT_SERVICE,
            name if name == ENV.name => NOT_ENV,
            _ => return Ok(None),
        };
        self.note(&without, Place::Query, false);
        let read = |parameter: &Parameter| -> Result<Vec<String>, Problem> {
            let mut names: Vec<String> = Vec::new();
            for value in self.values(parameter) {
                if value.len() > LONGEST {
                    let problem = format!("must not be longer than {LONGEST} bytes");
                    return Err(wrong(parameter, problem));
                }
                if !names.iter().any(|known| known == value) {
                    names.push(value.to_owned());
                }
            }
            if names.len() > MOST_CHOSEN {
                let problem = format!("must not be given more than {MOST_CHOSEN} times");
                return Err(wrong(parameter, problem));
            }
            Ok(names)
        };
        Ok(Some(Choice::new(read(parameter)?, read(&without)?)))
    }

    /// The services and environments that are chosen, where they are not just one: [`Self::get`] reads one.
    pub(crate) fn chosen(&self) -> Result<Chosen, Problem> {
        // The service of the path is the one, whatever else is chosen.
        let services = match self.is_in_path(&SERVICE) {
            true => Choice::All,
            false => self.several(&SERVICE)?,
        };
        Ok(Chosen {
            services,
            environments: self.several(&ENV)?,
        })
    }

    /// The choice of services or of environments, one of them or several.
    pub(crate) fn choice_of(&self, parameter: &Parameter) -> Result<Choice, Problem> {
        Ok(self.choice(parameter)?.unwrap_or_default())
    }

    /// The choice of a parameter, where it is not just one.
    fn several(&self, parameter: &Parameter) -> Result<Choice, Problem> {
        self.note(parameter, Place::Query, false);
        let choice = self.choice(parameter)?.unwrap_or_default();
        Ok(match choice.one() {
            Some(_) => Choice::All,
            None => choice,
        })
    }

    pub(super) fn is_in_path(&self, parameter: &Parameter) -> bool {
        let is_it = |known: &Described| {
            known.parameter.name == parameter.name && known.place == Place::Path
        };
        let described = self.described.as_ref();
        described.is_some_and(|described| described.borrow().iter().any(is_it))
            || self.path.iter().any(|(name, _)| name == parameter.name)
    }

    /// The scope of a question about all services: `env`, and `q` as far as the list can be filtered by it.
    pub(crate) fn scope(&self, list: List) -> Result<Scope, Problem> {
        let scope = self.open_scope()?;
        let query = scope.query.as_ref().unwrap_or(&Expr::All);
        filter::check(query, list).map_err(|problem| wrong(&Q, problem))?;
        Ok(scope)
    }

    /// The same for a question about requests, which can be filtered by any field: see [`super::matching`].
    pub(crate) fn open_scope(&self) -> Result<Scope, Problem> {
        let query = self.own_query()?;
        Ok(Scope {
            environment: self.owned(&ENV)?,
            chosen: Chosen {
                environments: self.several(&ENV)?,
                ..Chosen::default()
            },
            query: (query != Expr::All).then_some(query),
            ..Scope::default()
        })
    }

    /// The same of the service of the path.
    pub(crate) fn open_service_scope(&self) -> Result<Scope, Problem> {
        Ok(Scope {
            service: Some(self.segment(&SERVICE).to_owned()),
            ..self.open_scope()?
        })
    }

    /// The scope of a question about the service of the path, and `q` as far as the list can be filtered by it.
    pub(crate) fn service_scope(&self, list: List) -> Result<Scope, Problem> {
        Ok(Scope {
            service: Some(self.segment(&SERVICE).to_owned()),
            ..self.scope(list)?
        })
    }

    /// The same of the service that the parameter `service` names, or of all.
    pub(crate) fn chosen_scope(&self, list: List) -> Result<Scope, Problem> {
        self.scope(list)?;
        self.open_chosen_scope()
    }

    /// The same for a question about requests, which can be filtered by any field.
    pub(crate) fn open_chosen_scope(&self) -> Result<Scope, Problem> {
        Ok(Scope {
            service: self.owned(&SERVICE)?,
            chosen: self.chosen()?,
            ..self.open_scope()?
        })
    }

    /// The same for a question without a query.
    pub(crate) fn whole_scope(&self) -> Result<Scope, Problem> {
        Ok(Scope {
            service: self.owned(&SERVICE)?,
            environment: self.owned(&ENV)?,
            chosen: self.chosen()?,
            ..Scope::default()
        })
    }
}
