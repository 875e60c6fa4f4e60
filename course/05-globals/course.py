from multiprocessing import Process
num = 100
def run1():
    print("孙子进程开始...")
    print("孙子进程结束...%s"%(num))

def run():
    print("子进程开始...")
    global num
    num += 1
    print(num)
    p = Process(target=run1)
    p.start()
    p.join()
    print("子进程结束...")

if __name__ == '__main__':
    print("父进程开始...")
    p = Process(target=run)
    p.start()
    p.join()
    num += 2
    # 在子进程中修改全局变量  对父进程中的全局变量没有影响
    # 我们在创建子进程的时候  对全局变量做了一个备份
    # 子进程和父进程的Num是两个完全不同的变量
    # 所有进程对全局变量的修改  都不会影响其它进程
    print("父进程结束...%d"%(num))
