#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "media/recording.hpp"

namespace jackfield::simulation {

/// Recordings that leave a length and a sum behind and no file.
class MemoryRecordings final : public media::RecordingStorage, public std::enable_shared_from_this<MemoryRecordings> {
  public:
    struct Committed {
        std::uint64_t frames = 0;
        std::uint64_t sum = 0;
    };
    base::Result<std::unique_ptr<media::RecordingFile>> create(const std::string& path) override;

    std::uint64_t created = 0;
    std::map<std::string, Committed> committed; ///< by path
    std::vector<std::string> malformed;
};

}  // namespace jackfield::simulation
