//! A device that may be away: how it is opened, and what else can be done for it. The camera has the same in its own port.

use super::recovery::Means;
use super::{DeviceFault, DeviceKind, Rung};

/// What can be done for a device from outside, by its place.
pub trait Bus: Send + std::fmt::Debug {
    /// Which rungs of the recovery ladder there are now.
    fn means(&mut self) -> Means;

    /// Takes a rung, one of those that [`Bus::means`] names; the device has to be closed before, and opened after it.
    ///
    /// # Errors
    /// `Io` or `Permission` if it could not be done, and always for a rung that is not there.
    fn recover(&mut self, rung: Rung) -> Result<(), DeviceFault>;
}

type Open<D> = Box<dyn FnMut() -> Result<Box<D>, DeviceFault> + Send>;

/// A device, open or not.
pub struct Reopenable<D: ?Sized> {
    kind: DeviceKind,
    state: Result<Box<D>, DeviceFault>,
    open: Open<D>,
    bus: Option<Box<dyn Bus>>,
}

impl<D: ?Sized> std::fmt::Debug for Reopenable<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reopenable")
            .field("kind", &self.kind)
            .field("fault", &self.fault())
            .field("bus", &self.bus)
            .finish_non_exhaustive()
    }
}

impl<D: ?Sized> Reopenable<D> {
    /// Opens it; one that is not there stays closed. `bus`: nothing if only opening it again can help.
    pub fn new(
        kind: DeviceKind,
        mut open: impl FnMut() -> Result<Box<D>, DeviceFault> + Send + 'static,
        mut bus: Option<Box<dyn Bus>>,
    ) -> Self {
        let state = open();
        // Seen once while it is there: its place is not known when it has vanished.
        if let Some(bus) = &mut bus {
            bus.means();
        }
        Self {
            kind,
            state,
            open: Box::new(open),
            bus,
        }
    }

    /// Which device it is.
    pub fn kind(&self) -> DeviceKind {
        self.kind
    }

    /// Why it is closed; `None` while it is open.
    pub fn fault(&self) -> Option<&DeviceFault> {
        self.state.as_ref().err()
    }

    /// The device.
    ///
    /// # Errors
    /// Why it is closed.
    pub fn device(&mut self) -> Result<&mut D, DeviceFault> {
        self.state.as_deref_mut().map_err(|fault| fault.clone())
    }

    /// Closes it, because of a fault.
    pub fn close(&mut self, fault: DeviceFault) {
        self.state = Err(fault);
    }

    /// Opens it again.
    ///
    /// # Errors
    /// As at the first opening.
    pub fn reopen(&mut self) -> Result<(), DeviceFault> {
        self.state = (self.open)();
        if let Some(bus) = &mut self.bus {
            bus.means();
        }
        self.state.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// Which rungs beside opening it again there are now.
    pub fn means(&mut self) -> Means {
        self.bus
            .as_mut()
            .map_or(Means::default(), |bus| bus.means())
    }

    /// Takes another rung; the device has to be closed before.
    ///
    /// # Errors
    /// As [`Bus::recover`].
    pub fn recover(&mut self, rung: Rung) -> Result<(), DeviceFault> {
        match &mut self.bus {
            Some(bus) => bus.recover(rung),
            None => {
                let place = self.fault().map_or(String::new(), |f| f.place.clone());
                Err(DeviceFault::without_rung(self.kind, &place, rung))
            }
        }
    }
}
