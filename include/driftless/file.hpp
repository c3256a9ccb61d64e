// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_FILE_HPP
#define DRIFTLESS_FILE_HPP

#include <driftless/file/file_system.hpp>
#include <driftless/file/zeroed_pages.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>

#endif
