//! The shape of one option, and the macro that makes the table's entries into settings.

/// An option, without its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct OptionSpec {
    pub(super) key: &'static str,
    /// The notation of its values, for the documentation.
    #[cfg(test)]
    pub(super) kind: &'static str,
    /// Empty where there is none.
    pub(super) default: &'static str,
    pub(super) quoted: bool,
    /// Whether central configuration may change it.
    pub(super) dynamic: bool,
    /// Whether its value is masked wherever it is shown.
    pub(super) secret: bool,
    /// Whether the start-up log shows it even at its default.
    pub(super) always_logged: bool,
    #[cfg(test)]
    pub(super) group: &'static str,
    #[cfg(test)]
    pub(super) doc: &'static [&'static str],
}

impl OptionSpec {
    pub(super) const fn plain(key: &'static str, quoted: bool, default: &'static str) -> Self {
        Self {
            key,
            #[cfg(test)]
            kind: "",
            default,
            quoted,
            dynamic: false,
            secret: false,
            always_logged: false,
            #[cfg(test)]
            group: "",
            #[cfg(test)]
            doc: &[],
        }
    }

    pub(super) const fn dynamic(mut self) -> Self {
        self.dynamic = true;
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    pub(super) const fn always_logged(mut self) -> Self {
        self.always_logged = true;
        self
    }

    /// Adds the text of the documentation. A test writes the page, so the service's binary holds none of it.
    #[cfg(test)]
    pub(super) const fn documented(
        mut self,
        group: &'static str,
        kind: &'static str,
        doc: &'static [&'static str],
    ) -> Self {
        self.group = group;
        self.kind = kind;
        self.doc = doc;
        self
    }

    #[cfg(not(test))]
    pub(super) const fn documented(
        self,
        _group: &'static str,
        _kind: &'static str,
        _doc: &'static [&'static str],
    ) -> Self {
        self
    }
}

/// Makes `Settings` (a field per option) and `OPTIONS` (what is known of each) of the table.
macro_rules! options {
    ($($group:literal {$(
        $(#[doc = $doc:literal])+
        $key:ident: $type:ty = $default:literal, $kind:ident $(, $flag:ident)*;
    )+})+) => {
        /// The value of every option.
        #[derive(Clone, Debug)]
        pub(crate) struct Settings {$($(
            $(#[doc = $doc])+
            pub(crate) $key: $type,
        )+)+}

        /// The table, in the order of the documentation.
        pub(super) const OPTIONS: &[OptionSpec] = &[$($(
            OptionSpec::plain(stringify!($key), $kind.quoted, $default)
                $(.$flag())*
                .documented($group, $kind.label, &[$($doc),+]),
        )+)+];

        impl Settings {
            /// The values of all options where no source says anything.
            pub(super) fn defaults() -> Self {
                Self {$($(
                    $key: ($kind.parse)($default).expect("the table's defaults are valid"),
                )+)+}
            }

            /// Sets the option `key`; the error says what is wrong with `text`.
            pub(super) fn set(&mut self, key: &str, text: &str) -> Result<Understood, String> {
                match key {
                    $($(stringify!($key) => {
                        let (value, understood) = $kind.read(text)?;
                        self.$key = value;
                        Ok(understood)
                    })+)+
                    _ => Err("there is no such option".to_owned()),
                }
            }
        }
    };
}

pub(super) use options;
