//! Column types for types of the standard library.

use std::borrow::Cow;

use super::{ColumnType, Ty};

macro_rules! column_types {
    ($($ty:ty => $constant:ident;)*) => {
        $(impl ColumnType for $ty {
            const TY: Ty = Ty::$constant;
        })*
    };
}

column_types! {
    bool => BOOLEAN;
    i8 => TINY_INTEGER;
    i16 => SMALL_INTEGER;
    i32 => INTEGER;
    i64 => BIG_INTEGER;
    u16 => SMALL_UNSIGNED;
    u32 => UNSIGNED;
    u64 => BIG_UNSIGNED;
    f32 => FLOAT;
    f64 => DOUBLE;
    str => TEXT;
    String => TEXT;
}

impl ColumnType for u8 {
    const TY: Ty = Ty::TINY_UNSIGNED;
    const LIST: Ty = Ty::BINARY;
}

impl ColumnType for char {
    const TY: Ty = Ty::CHAR;
}

impl<T: ColumnType> ColumnType for Option<T> {
    const TY: Ty = Ty::nullable(&T::TY);
}

impl<T: ColumnType> ColumnType for [T] {
    const TY: Ty = T::LIST;
}

impl<T: ColumnType> ColumnType for Vec<T> {
    const TY: Ty = T::LIST;
}

impl<const N: usize> ColumnType for [u8; N] {
    const TY: Ty = {
        assert!(N <= u32::MAX as usize, "an array of more than 4294967295 bytes fits no column");
        Ty::fixed_binary(N as u32)
    };
}

impl<T: ColumnType + ?Sized> ColumnType for &T {
    const TY: Ty = T::TY;
    const LIST: Ty = T::LIST;
}

impl<T: ColumnType + ?Sized> ColumnType for Box<T> {
    const TY: Ty = T::TY;
    const LIST: Ty = T::LIST;
}

impl<T: ColumnType + ToOwned + ?Sized> ColumnType for Cow<'_, T> {
    const TY: Ty = T::TY;
    const LIST: Ty = T::LIST;
}
