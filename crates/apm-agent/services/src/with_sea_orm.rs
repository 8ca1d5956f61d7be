//! Cats in SQLite, asked by SeaORM, which asks by sqlx. Nothing here knows of the agent, but for errors.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait as _, Database, DatabaseConnection,
    DbErr, EntityTrait as _, QueryFilter as _, Schema, Set,
};

/// The table of cats.
mod cat {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cats")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
        pub(super) name: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The cats.
#[derive(Clone, Debug)]
pub struct Cats(DatabaseConnection);

impl Cats {
    /// A table in memory, with Tib in it.
    ///
    /// # Errors
    /// Those of SQLite.
    pub async fn open() -> Result<Self, DbErr> {
        let cats = Database::connect("sqlite::memory:").await?;
        let table = Schema::new(cats.get_database_backend()).create_table_from_entity(cat::Entity);
        cats.execute(&table).await?;
        add_named("Tib".to_owned(), &cats).await?;
        Ok(Self(cats))
    }

    /// Drops the table, so that queries fail from then on.
    ///
    /// # Errors
    /// Those of SQLite.
    pub async fn lose(&self) -> Result<(), DbErr> {
        self.0.execute_unprepared("DROP TABLE cats").await?;
        Ok(())
    }
}

async fn add_named(name: String, cats: &DatabaseConnection) -> Result<cat::Model, DbErr> {
    let cat = cat::ActiveModel {
        name: Set(name),
        ..Default::default()
    };
    cat.insert(cats).await
}

/// The routes of cats.
pub fn routes(cats: Cats) -> Router {
    Router::new()
        .route("/cats/{name}", get(find))
        .route("/cats", post(add))
        .with_state(cats)
}

async fn find(State(cats): State<Cats>, Path(name): Path<String>) -> Result<String, StatusCode> {
    let found = cat::Entity::find()
        .filter(cat::Column::Name.eq(name))
        .one(&cats.0)
        .await
        .map_err(failed)?;
    let found = found.ok_or(StatusCode::NOT_FOUND)?;
    Ok(format!("{} has number {}", found.name, found.id))
}

async fn add(State(cats): State<Cats>, name: String) -> Result<StatusCode, StatusCode> {
    add_named(name, &cats.0).await.map_err(failed)?;
    Ok(StatusCode::CREATED)
}

fn failed(error: DbErr) -> StatusCode {
    apm_agent::capture_error(&error);
    StatusCode::INTERNAL_SERVER_ERROR
}
