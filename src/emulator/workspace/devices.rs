//! The devices of people.

use std::collections::BTreeMap;

use crate::emulator::operation::NewDevice;
use crate::emulator::workspace::people::PersonKey;

/// One device.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) token: Box<str>,
    pub(crate) platform: Box<str>,
    /// When the device was last used, in unix seconds.
    pub(crate) last_used: i64,
    /// The device's own attributes, as JSON.
    pub(crate) attributes: Box<str>,
}

/// Every device, by its owner and token.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    by_person: BTreeMap<PersonKey, Vec<Device>>,
    count: usize,
}

impl Devices {
    /// Returns the number of devices.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns every device with its owner.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PersonKey, &Device)> {
        self.by_person.iter().flat_map(|(key, devices)| devices.iter().map(|device| (*key, device)))
    }

    /// Returns the devices of one person, in the order in which they were added.
    pub(crate) fn of(&self, key: PersonKey) -> &[Device] {
        self.by_person.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Adds a device, or replaces the person's device of the same token.
    pub(crate) fn put(&mut self, key: PersonKey, new: &NewDevice<'_>, now: i64) {
        self.put_device(
            key,
            Device {
                token: new.token.as_ref().into(),
                platform: new.platform.as_ref().into(),
                last_used: new.last_used.unwrap_or(now),
                attributes: new.attributes.into(),
            },
        );
    }

    /// Takes the person's device of this token away; returns whether there was one.
    pub(crate) fn remove(&mut self, key: PersonKey, token: &str) -> bool {
        let Some(devices) = self.by_person.get_mut(&key) else { return false };
        let before = devices.len();
        devices.retain(|device| &*device.token != token);
        let removed = before - devices.len();
        self.count -= removed;
        removed > 0
    }

    /// Takes every device of a person away.
    pub(crate) fn remove_all(&mut self, key: PersonKey) -> Vec<Device> {
        let devices = self.by_person.remove(&key).unwrap_or_default();
        self.count -= devices.len();
        devices
    }

    /// Adds a device as it is, for a merge.
    pub(crate) fn put_device(&mut self, key: PersonKey, device: Device) {
        let devices = self.by_person.entry(key).or_default();
        match devices.iter_mut().find(|known| known.token == device.token) {
            Some(known) => *known = device,
            None => {
                devices.push(device);
                self.count += 1;
            }
        }
    }
}
