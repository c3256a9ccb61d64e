// cpu_seconds COMMAND...: runs it and writes the user CPU time in seconds and the peak memory in MB to standard
// output; its own output goes to standard error.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

int main(int, char** argv) {
    pid_t const child = fork();
    if (child == 0) {
        dup2(2, 1);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    int status = 0;
    rusage used{};
    if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0) return 1;
    std::printf("%.4f %ld\n",
        static_cast<double>(used.ru_utime.tv_sec) + 1e-6 * static_cast<double>(used.ru_utime.tv_usec),
        used.ru_maxrss / 1024);
}
