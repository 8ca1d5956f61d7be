//! Names of database systems.

/// The short name of a system: current conventions have given some of them longer ones, and one database is to be one
/// dependency and one dialect, whichever version of them its client follows.
pub(super) fn short(system: &str) -> &str {
    match system {
        "microsoft.sql_server" => "mssql",
        "oracle.db" => "oracle",
        "aws.dynamodb" => "dynamodb",
        "azure.cosmosdb" => "cosmosdb",
        "aws.redshift" => "redshift",
        "ibm.db2" => "db2",
        "sap.hana" => "hanadb",
        "gcp.spanner" => "spanner",
        "h2database" => "h2",
        "firebirdsql" => "firebird",
        system => system,
    }
}
