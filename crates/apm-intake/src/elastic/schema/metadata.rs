//! `metadata`

use super::Rule::{Labels, NonEmpty, Object as Nested, ServiceName, Texts};
use super::context::{NODE, USER};
use super::{INT, KEYWORD, Object, Slot, TEXT, field};

pub(crate) static METADATA: Object = Object::new(&[
    field("service", Nested(&SERVICE)).required(),
    field("process", Nested(&PROCESS)),
    field("system", Nested(&SYSTEM)),
    field("labels", Labels),
    field("user", Nested(&USER)),
    field("cloud", Nested(&CLOUD)),
    field("network", Nested(&NETWORK)),
]);

static SERVICE: Object = Object::new(&[
    field("name", ServiceName(true))
        .slot(Slot::ServiceName)
        .required(),
    field("agent", Nested(&AGENT)).required(),
    field("version", KEYWORD).slot(Slot::ServiceVersion),
    field("environment", KEYWORD).slot(Slot::ServiceEnvironment),
    field("language", Nested(&LANGUAGE)),
    field("runtime", Nested(&RUNTIME)),
    field("framework", Nested(&FRAMEWORK)),
    field("node", Nested(&NODE)),
    field("id", TEXT),
]);

static AGENT: Object = Object::new(&[
    field("name", NonEmpty(1024))
        .slot(Slot::AgentName)
        .required(),
    field("version", KEYWORD)
        .slot(Slot::AgentVersion)
        .required(),
    field("ephemeral_id", KEYWORD),
    field("activation_method", KEYWORD),
]);

static LANGUAGE: Object = Object::new(&[
    field("name", KEYWORD).slot(Slot::Language).required(),
    field("version", KEYWORD),
]);
static RUNTIME: Object = Object::new(&[
    field("name", KEYWORD).required(),
    field("version", KEYWORD).required(),
]);
static FRAMEWORK: Object = Object::new(&[field("name", KEYWORD), field("version", KEYWORD)]);

static PROCESS: Object = Object::new(&[
    field("pid", INT).required(),
    field("ppid", INT),
    field("title", KEYWORD),
    field("argv", Texts(0)),
]);

static SYSTEM: Object = Object::new(&[
    field("hostname", KEYWORD),
    field("detected_hostname", KEYWORD),
    field("configured_hostname", KEYWORD),
    field("architecture", KEYWORD),
    field("platform", KEYWORD),
    field("host_id", KEYWORD),
    field("container", Nested(&ID)),
    field("kubernetes", Nested(&KUBERNETES)),
]);

static ID: Object = Object::new(&[field("id", KEYWORD)]);
static NAME: Object = Object::new(&[field("name", KEYWORD)]);
static TYPE: Object = Object::new(&[field("type", KEYWORD)]);
static ID_NAME: Object = Object::new(&[field("id", KEYWORD), field("name", KEYWORD)]);

static KUBERNETES: Object = Object::new(&[
    field("namespace", KEYWORD),
    field("node", Nested(&NAME)),
    field("pod", Nested(&POD)),
]);

static POD: Object = Object::new(&[field("name", KEYWORD), field("uid", KEYWORD)]);

static CLOUD: Object = Object::new(&[
    field("provider", KEYWORD).required(),
    field("region", KEYWORD),
    field("availability_zone", KEYWORD),
    field("account", Nested(&ID_NAME)),
    field("instance", Nested(&ID_NAME)),
    field("machine", Nested(&TYPE)),
    field("project", Nested(&ID_NAME)),
    field("service", Nested(&NAME)),
]);

static NETWORK: Object = Object::new(&[field("connection", Nested(&TYPE))]);
