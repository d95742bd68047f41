/* A libnvidia-ml.so.1 of one GPU that is 40 % busy and draws 250 W: for the way through a real shared object. Symbols that
   are not here are those of a driver that lacks them. */

#include <string.h>
#include <sys/time.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7 };

static int device;
static unsigned long long began, stamps[64];
static int taken;

static unsigned long long now_us(void) {
  struct timeval now;
  gettimeofday(&now, 0);
  return now.tv_sec * 1000000ULL + now.tv_usec;
}

int nvmlInitWithFlags(unsigned flags) { began = now_us(); return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 1; return SUCCESS; }
int nvmlDeviceGetMinorNumber(void *handle, unsigned *minor) { *minor = 0; return SUCCESS; }
int nvmlDeviceGetMigMode(void *handle, unsigned *now, unsigned *pending) { return NOT_SUPPORTED; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
  *handle = &device;
  return index ? INVALID_ARGUMENT : SUCCESS;
}

int nvmlDeviceGetUUID(void *handle, char *text, unsigned size) { strncpy(text, "GPU-of-the-library", size); return SUCCESS; }
int nvmlDeviceGetName(void *handle, char *text, unsigned size) { strncpy(text, "GPU in C", size); return SUCCESS; }

int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *millijoules) {
  *millijoules = (now_us() - began) / 1000 * 250;
  return SUCCESS;
}

struct running { unsigned pid; unsigned long long memory; unsigned instance, compute; };

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, struct running *found) {
  int fits = found && *count >= 1;
  *count = 1;
  if (!fits) return INSUFFICIENT_SIZE;
  found->pid = 1;
  found->memory = 1ULL << 30;
  return SUCCESS;
}

struct utilisation { unsigned long long stamp; unsigned pid, sm, memory, encoder, decoder, jpeg, flow; };
struct utilisations { unsigned version, count; unsigned long long since; struct utilisation *found; };

int nvmlDeviceGetProcessesUtilizationInfo(void *handle, struct utilisations *asked) {
  int fits = asked->found && asked->count >= 1;
  asked->count = 1;
  if (!fits) return INSUFFICIENT_SIZE;
  memset(asked->found, 0, sizeof *asked->found);
  asked->found->stamp = now_us();
  asked->found->pid = 1;
  asked->found->sm = 40;
  return SUCCESS;
}

struct support { unsigned version, supported; };
struct metric { unsigned id; int result; double value; char *short_name, *long_name, *unit; };
struct metrics { unsigned version, count; unsigned long long *first, *second; struct metric metrics[]; };

int nvmlGpmQueryDeviceSupport(void *handle, struct support *support) { support->supported = 1; return SUCCESS; }
int nvmlGpmSampleAlloc(unsigned long long **sample) { *sample = &stamps[taken++ % 64]; return SUCCESS; }
int nvmlGpmSampleFree(unsigned long long *sample) { return SUCCESS; }

int nvmlGpmSampleGet(void *handle, unsigned long long *sample) {
  *sample = now_us();
  return handle == &device ? SUCCESS : INVALID_ARGUMENT;
}

int nvmlGpmMetricsGet(struct metrics *asked) {
  for (unsigned index = 0; index < asked->count; index++) {
    asked->metrics[index].result = SUCCESS;
    asked->metrics[index].value = asked->metrics[index].id == 1 ? 40 : 20;
  }
  return *asked->second > *asked->first ? SUCCESS : INVALID_ARGUMENT;
}
