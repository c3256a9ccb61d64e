// SPDX-License-Identifier: BSL-1.0
// Runs a fuzz target once over the files of a folder, without a fuzzer: `NAME FOLDER`. `NAME --seeds FOLDER` writes the
// seeds of the target there.
#include <fuzz/fuzz_target.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    std::vector<std::string> const words(argv + 1, argv + argc);
    if (words.size() == 2 && words[0] == "--seeds") {
        std::filesystem::create_directories(words[1]);
        for (auto const& [name, bytes] : fuzz::seeds()) {
            std::ofstream{words[1] + "/" + name, std::ios::binary} << bytes;
        }
        return 0;
    }
    if (words.size() != 1) {
        std::fprintf(stderr, "usage: %s FOLDER, or --seeds FOLDER\n", argv[0]);
        return 2;
    }
    std::vector<std::filesystem::path> paths;
    for (auto const& each : std::filesystem::directory_iterator{words[0]}) paths.push_back(each.path());
    std::sort(paths.begin(), paths.end());
    for (auto const& path : paths) {
        std::fprintf(stderr, "%s\n", path.filename().c_str());
        std::ifstream from{path, std::ios::binary};
        std::string const bytes{std::istreambuf_iterator<char>{from}, {}};
        LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size());
    }
    std::printf("%zu inputs\n", paths.size());
    return paths.empty() ? 1 : 0;  // a corpus that is gone is no success
}
