// A microphone for machines without a sound card: a plug-in of libasound that gives a tone in real time, and as the kernel does
// of a device that was pulled out, ENODEV for everything from then on (tests/system/sound_card.py holds the plug).
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <memory>

namespace {

constexpr unsigned kRate = 48'000;
constexpr unsigned kFrameBytes = 2;
constexpr unsigned kLeastPeriod = 480;
constexpr unsigned kMostBuffer = 32'768;
constexpr double kPi = 3.14159265358979;

struct Card {
  snd_pcm_ioplug_t io{};
  const volatile std::int64_t* plugged = nullptr;
  std::int64_t began_us = 0;
  std::int64_t frames = 0;  // given so far

  bool is_gone() const { return *plugged == 0; }
};

std::int64_t now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

Card& card_of(snd_pcm_ioplug_t* io) { return *static_cast<Card*>(io->private_data); }

int prepare(snd_pcm_ioplug_t* io) { return card_of(io).is_gone() ? -ENODEV : 0; }

int start(snd_pcm_ioplug_t* io) {
  card_of(io).began_us = now_us();
  return prepare(io);
}

int stop(snd_pcm_ioplug_t*) { return 0; }

// How far the card has written, since the beginning.
snd_pcm_sframes_t pointer(snd_pcm_ioplug_t* io) {
  if (card_of(io).is_gone()) return -ENODEV;
  const std::int64_t frames = (now_us() - card_of(io).began_us) * kRate / 1'000'000;
  return static_cast<snd_pcm_sframes_t>(static_cast<snd_pcm_uframes_t>(frames) % io->buffer_size);
}

snd_pcm_sframes_t transfer(snd_pcm_ioplug_t* io, const snd_pcm_channel_area_t* areas, snd_pcm_uframes_t offset, snd_pcm_uframes_t size) {
  Card& card = card_of(io);
  if (card.is_gone()) return -ENODEV;
  auto* out = static_cast<std::int16_t*>(areas->addr) + (areas->first / 8 + offset * areas->step / 8) / kFrameBytes;
  for (snd_pcm_uframes_t i = 0; i < size; ++i, ++card.frames) {
    out[i] = static_cast<std::int16_t>(8000 * std::sin(2 * kPi * 440 * static_cast<double>(card.frames) / kRate));
  }
  return static_cast<snd_pcm_sframes_t>(size);
}

int poll_revents(snd_pcm_ioplug_t* io, pollfd* fds, unsigned, unsigned short* out) {
  std::uint64_t ticks = 0;
  *out = (fds[0].revents & POLLIN) != 0 && ::read(io->poll_fd, &ticks, sizeof ticks) > 0 ? POLLIN : 0;
  return 0;
}

int close_card(snd_pcm_ioplug_t* io) {
  ::close(io->poll_fd);
  delete &card_of(io);
  return 0;
}

const snd_pcm_ioplug_callback_t kCallbacks = [] {
  snd_pcm_ioplug_callback_t out{};
  out.start = start;
  out.stop = stop;
  out.pointer = pointer;
  out.transfer = transfer;
  out.prepare = prepare;
  out.poll_revents = poll_revents;
  out.close = close_card;
  return out;
}();

int limit(snd_pcm_ioplug_t* io) {
  const unsigned access = SND_PCM_ACCESS_RW_INTERLEAVED;
  const unsigned format = SND_PCM_FORMAT_S16_LE;
  int code = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1, &access);
  if (code >= 0) code = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, &format);
  if (code >= 0) code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, 1, 1);
  if (code >= 0) code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, kRate, kRate);
  if (code >= 0) code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, kLeastPeriod * kFrameBytes, kMostBuffer * kFrameBytes / 4);
  if (code >= 0) code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 4 * kLeastPeriod * kFrameBytes, kMostBuffer * kFrameBytes);
  return code;
}

const volatile std::int64_t* plug_at(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* const mapped = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  return mapped == MAP_FAILED ? nullptr : static_cast<const volatile std::int64_t*>(mapped);
}

}  // namespace

extern "C" {

// pcm.NAME { type greffe_test plug FILE }
SND_PCM_PLUGIN_DEFINE_FUNC(greffe_test) {
  snd_config_t* entry = nullptr;
  const char* path = nullptr;
  static_cast<void>(root);
  if (snd_config_search(conf, "plug", &entry) < 0 || snd_config_get_string(entry, &path) < 0) return -EINVAL;
  auto card = std::make_unique<Card>();
  card->plugged = plug_at(path);
  if (card->plugged == nullptr || card->is_gone()) return -ENODEV;
  card->io.version = SND_PCM_IOPLUG_VERSION;
  card->io.name = "a test microphone";
  card->io.callback = &kCallbacks;
  card->io.private_data = card.get();
  card->io.poll_fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  card->io.poll_events = POLLIN;
  const itimerspec often{{0, 10'000'000}, {0, 10'000'000}};
  ::timerfd_settime(card->io.poll_fd, 0, &often, nullptr);
  int code = snd_pcm_ioplug_create(&card->io, name, stream, mode);
  if (code < 0) return code;
  code = limit(&card->io);
  Card* const kept = card.release();  // the library's from here on
  if (code < 0) {
    snd_pcm_ioplug_delete(&kept->io);
    return code;
  }
  *pcmp = kept->io.pcm;
  return 0;
}
SND_PCM_PLUGIN_SYMBOL(greffe_test);

}  // extern "C"
