// SPDX-License-Identifier: BSL-1.0
// The precompiled header needs one source to belong to.
