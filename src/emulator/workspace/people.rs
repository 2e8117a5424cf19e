//! The people, and the ways to find them.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::emulator::operation::PersonIdentifier;
use crate::emulator::workspace::attributes::Attributes;

/// A person's number within the workspace; never given out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PersonKey(pub(super) u32);

impl PersonKey {
    /// Returns the number, to continue a list from.
    pub(crate) fn number(self) -> usize {
        self.0 as usize
    }
}

/// One profile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    pub(crate) id: Option<Box<str>>,
    /// As it was written; compared without regard to case.
    pub(crate) email: Option<Box<str>>,
    pub(crate) phone: Option<Box<str>>,
    pub(crate) anonymous_id: Option<Box<str>>,
    pub(crate) attributes: Attributes,
    /// When the profile was made, in unix seconds.
    pub(crate) created_at: i64,
    /// The latest edit of the profile, by the edits' own timestamps, in unix seconds.
    pub(crate) edited_at: i64,
}

/// Every profile, with an index for each kind of identifier.
#[derive(Debug)]
pub(crate) struct People {
    slots: Vec<Option<Person>>,
    count: usize,
    cio_prefix: String,
    by_id: HashMap<Box<str>, PersonKey>,
    by_email: HashMap<Box<str>, PersonKey>,
    by_phone: HashMap<Box<str>, PersonKey>,
    by_anonymous_id: HashMap<Box<str>, PersonKey>,
}

/// The identifiers that a person carries themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Id,
    Email,
    Phone,
    AnonymousId,
}

impl Slot {
    /// Returns the attribute's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::AnonymousId => "anonymous_id",
        }
    }
}

impl People {
    /// Returns an empty set; `workspace_id` goes into every `cio_id`.
    pub(crate) fn new(workspace_id: u64) -> Self {
        Self {
            slots: Vec::new(),
            count: 0,
            cio_prefix: format!("{:06x}", workspace_id & 0xff_ffff),
            by_id: HashMap::new(),
            by_email: HashMap::new(),
            by_phone: HashMap::new(),
            by_anonymous_id: HashMap::new(),
        }
    }

    /// Returns the number of people.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the people from number `start` on, in the order in which they were made.
    pub(crate) fn from(
        &self,
        start: usize,
    ) -> impl DoubleEndedIterator<Item = (PersonKey, &Person)> {
        self.slots.iter().enumerate().skip(start).filter_map(|(number, person)| {
            Some((PersonKey(u32::try_from(number).ok()?), person.as_ref()?))
        })
    }

    /// Returns the person behind a number, unless they are gone.
    pub(crate) fn get(&self, key: PersonKey) -> Option<&Person> {
        self.slots.get(key.0 as usize)?.as_ref()
    }

    /// Returns the person behind a number for a change; identifiers change by [`People::set`].
    pub(crate) fn get_mut(&mut self, key: PersonKey) -> Option<&mut Person> {
        self.slots.get_mut(key.0 as usize)?.as_mut()
    }

    /// Returns who carries the identifier.
    pub(crate) fn find(&self, who: &PersonIdentifier<'_>) -> Option<PersonKey> {
        match who {
            PersonIdentifier::Id(value) => self.by(Slot::Id, value),
            PersonIdentifier::Email(value) => self.by(Slot::Email, value),
            PersonIdentifier::Phone(value) => self.by(Slot::Phone, value),
            PersonIdentifier::Anonymous(value) => self.by(Slot::AnonymousId, value),
            PersonIdentifier::CioId(value) => {
                let number = value.strip_prefix(self.cio_prefix.as_str())?;
                let key = PersonKey(u32::from_str_radix(number, 16).ok()?.checked_sub(1)?);
                self.get(key).map(|_| key)
            }
        }
    }

    /// Returns who carries `value` in that slot.
    pub(crate) fn by(&self, slot: Slot, value: &str) -> Option<PersonKey> {
        match slot {
            Slot::Id => self.by_id.get(value).copied(),
            Slot::Email => self.by_email.get(&*folded(value)).copied(),
            Slot::Phone => self.by_phone.get(value).copied(),
            Slot::AnonymousId => self.by_anonymous_id.get(value).copied(),
        }
    }

    /// Returns the workspace's own id of a person.
    pub(crate) fn cio_id(&self, key: PersonKey) -> String {
        format!("{}{:08x}", self.cio_prefix, u64::from(key.0) + 1)
    }

    /// Makes a person without identifiers.
    pub(crate) fn create(&mut self, now: i64) -> PersonKey {
        let key = PersonKey(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.slots.push(Some(Person { created_at: now, ..Person::default() }));
        self.count += 1;
        key
    }

    /// Returns the value a person carries in that slot.
    pub(crate) fn value(&self, key: PersonKey, slot: Slot) -> Option<&str> {
        let person = self.get(key)?;
        match slot {
            Slot::Id => person.id.as_deref(),
            Slot::Email => person.email.as_deref(),
            Slot::Phone => person.phone.as_deref(),
            Slot::AnonymousId => person.anonymous_id.as_deref(),
        }
    }

    /// Gives a person an identifier, or takes it away; the caller made sure that nobody else has it.
    pub(crate) fn set(&mut self, key: PersonKey, slot: Slot, value: Option<&str>) {
        let Some(person) = self.slots.get_mut(key.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        let (field, index) = match slot {
            Slot::Id => (&mut person.id, &mut self.by_id),
            Slot::Email => (&mut person.email, &mut self.by_email),
            Slot::Phone => (&mut person.phone, &mut self.by_phone),
            Slot::AnonymousId => (&mut person.anonymous_id, &mut self.by_anonymous_id),
        };
        let index_key = |value: &str| -> Box<str> {
            if slot == Slot::Email { folded(value).into() } else { value.into() }
        };
        if let Some(old) = field.take() {
            index.remove(&index_key(&old));
        }
        if let Some(value) = value {
            index.insert(index_key(value), key);
            *field = Some(value.into());
        }
    }

    /// Takes a person away and returns the profile as it was.
    pub(crate) fn remove(&mut self, key: PersonKey) -> Option<Person> {
        let person = self.slots.get_mut(key.0 as usize)?.take()?;
        if let Some(id) = &person.id {
            self.by_id.remove(id);
        }
        if let Some(email) = &person.email {
            self.by_email.remove(&*folded(email));
        }
        if let Some(phone) = &person.phone {
            self.by_phone.remove(phone);
        }
        if let Some(anonymous_id) = &person.anonymous_id {
            self.by_anonymous_id.remove(anonymous_id);
        }
        self.count -= 1;
        Some(person)
    }
}

/// Returns an e-mail as it is compared: without regard to case. Source: "identifying people".
pub(crate) fn folded(email: &str) -> Cow<'_, str> {
    if email.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(email);
    }

    Cow::Owned(email.to_lowercase())
}
